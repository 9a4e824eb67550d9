"""Every word for people is marked, and every marked word is in each catalogue, translated."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from scripts import messages

pytestmark = pytest.mark.once

CATALOGUES = sorted(messages.LOCALE.glob("*/LC_MESSAGES/*.po"))
TEMPLATES = sorted((messages.ROOT / "templates").rglob("*.*"))
SCRIPTS = sorted((messages.ROOT / "static" / "js").glob("*.js"))
# Names, keys, units, and what an address or a version is written with.
NAMES = {"chatapp", "genai-prices", "ctrl", "shift", "enter", "esc", "utc", "ms", "m", "k", "o"}


def key(message: Message) -> tuple[str | None, object]:
    return message.context, message.id


def named(path: Path) -> str:
    return path.relative_to(messages.ROOT).as_posix()


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_the_catalogue_has_every_marked_word_and_no_other(path: Path) -> None:
    """`make messages` brings it up to date."""
    assert {key(m) for m in messages.read(path)} == {key(m) for m in messages.marked(path.stem)} | {
        (None, "")
    }


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_every_word_is_translated_with_the_same_gaps(path: Path) -> None:
    catalog = messages.read(path)
    for message in catalog:
        forms = [message.string] if isinstance(message.string, str) else message.string
        assert not message.id or all(forms), message.id
        assert not message.fuzzy or not message.id, message.id
        assert not list(message.check(catalog)), message.id


@pytest.mark.parametrize("path", CATALOGUES, ids=named)
def test_what_runs_is_what_is_written(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == messages.compiled(messages.read(path))


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_no_page_says_a_word_that_is_not_marked(path: Path) -> None:
    assert unmarked(path.read_text()) == []


def unmarked(source: str) -> list[str]:
    """What a reader sees or hears of a template besides tags: texts, labels and titles."""
    for gone in (
        r"{% block (?:main|body)_class %}.*?{% endblock %}",
        r"{#.*?#}",
        r"{% blocktranslate.*?endblocktranslate %}",
        r"<(script|style|svg|code|pre)\b.*?</\1>",
        r"{%.*?%}",
        r"{{.*?}}",
    ):
        source = re.sub(gone, " ", source, flags=re.DOTALL)
    said = re.findall(r'\b(?:aria-label|title|placeholder|alt|data-done)="([^"]*)"', source)
    said += re.sub(r"<[^>]*>|&\w+;", "\n", source).splitlines()
    return [text.strip() for text in said if words(text)]


def words(text: str) -> set[str]:
    plain = re.sub(r"\S*(?:://|@|claude-)\S*", " ", text)
    return {
        word.lower() for word in re.findall(r"[^\W\d_][^\W\d_-]*(?:-[^\W\d_]+)*", plain)
    } - NAMES


def test_unmarked_words_are_found() -> None:
    assert unmarked('<p title="{% translate "A" %}">{% translate "Fine" %}</p>') == []
    assert unmarked('<p title="Hear">See {{ it }}</p>') == ["Hear", "See"]


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_no_module_says_a_word_that_is_not_marked(path: Path) -> None:
    """What begins like a sentence is an argument of `_` or `ngettext`, or it is none."""
    code = re.sub(r"^\s*//.*$|\s// .*$", "", path.read_text(), flags=re.MULTILINE)
    strings = re.findall(r'"([^"\n]*)"|`([^`\n]*)`', messages.IN_SCRIPTS.sub("", code))
    texts = {re.sub(r"\$\{[^}]*\}", "", "".join(pair)).strip() for pair in strings}
    said = {text for text in texts if re.search(r"^[A-Z][a-z]+( |$)|[a-z] [a-z]+[.…]$", text)}
    assert said - KEYS - HEADINGS - CONSOLE == set()


KEYS = {"Enter", "Escape", "Files"}
# The server's, which list.js knows by their English names.
HEADINGS = {"Previous 7 days"}
CONSOLE = {"Refused HTML for :"}
