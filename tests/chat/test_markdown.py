"""Markdown: what it becomes, that nothing in it can act, and that a stream ends as one rendering."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatapp.chat.markdown import BlockStream, render
from chatapp.chat.markdown.gate import clean
from chatapp.chat.markdown.render import MARKDOWN
from tests.chat.markdown_examples import EXAMPLES, PAYLOADS


def streamed(pieces: list[str]) -> str:
    """What a page shows at the end of a stream whose last tail is rendered."""
    stream, html, upto = BlockStream(), "", 0
    for piece in pieces:
        for block in stream.feed(piece):
            assert block.start == upto
            upto = block.upto
            html += block.html
    assert upto == stream.upto
    whole = "".join(pieces)
    units = whole.encode("utf-16-le", "surrogatepass")
    assert units[2 * upto :].decode("utf-16-le", "surrogatepass") == stream.tail
    return html + render(stream.tail)


def pieces(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


LINES = st.sampled_from([line for text in EXAMPLES for line in text.split("\n")] + ["", "", " "])
DOCUMENTS = st.one_of(
    st.lists(LINES, max_size=14).map("\n".join),
    st.lists(st.sampled_from(EXAMPLES), max_size=4).map("\n".join),
    st.text("-*+1.`~#>|$\\[]() \t\n\r=_ab!:\0😀", max_size=60),
)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, st.data())
def test_any_cutting_ends_as_one_rendering(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert streamed(parts) == render(text)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
@example("a\n$$\nb\n\nc")
def test_every_line_on_its_own_ends_as_one_rendering(text: str) -> None:
    assert streamed(text.splitlines(keepends=True)) == render(text)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_blocks_end_at_the_same_places_for_any_cutting(text: str) -> None:
    whole, piecewise = BlockStream(), BlockStream()
    at_once = whole.feed(text)
    one_by_one = [block for character in text for block in piecewise.feed(character)]
    common = min(len(at_once), len(one_by_one))
    assert at_once[:common] == one_by_one[:common]


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_block_by_block_is_what_the_whole_text_means(text: str) -> None:
    assert render(text) == clean(MARKDOWN.render(text))


@pytest.mark.parametrize("text", EXAMPLES)
@pytest.mark.parametrize("size", [1, 7])
def test_examples_streamed(text: str, size: int) -> None:
    assert streamed(pieces(text, size)) == render(text)


@pytest.mark.parametrize(
    ("text", "frozen"),
    [
        ("Hello", ""),
        ("Hello\n", ""),
        ("Hello\n\n", "<p>Hello</p>\n"),
        ("# Hi\n", "<h3>Hi</h3>\n"),
        ("- a\n- b\n\n", ""),
        ("---\n", "<hr>\n"),
        ("> a\n\n", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("```\nx\n```", ""),
        ("$$\nx\n", ""),
    ],
)
def test_a_block_is_finished_as_soon_as_nothing_can_change_it(text: str, frozen: str) -> None:
    assert "".join(block.html for block in BlockStream().feed(text)) == frozen


def test_code_is_finished_by_its_closing_fence() -> None:
    stream = BlockStream()
    assert stream.feed("```py\nx = 1\n\n\ny") == []
    assert stream.tail.startswith("```")
    (block,) = stream.feed("\n```\n")
    assert (block.start, stream.tail) == (0, "")


def test_offsets_count_what_javascript_counts() -> None:
    (block,) = BlockStream().feed("a😀\n\n")
    assert block.upto == 4


def test_long_replies_cost_linear_time() -> None:
    reply = "".join(EXAMPLES[:40] * 1000)[:60_000]
    for text in (reply, "- item\n" * 8000, "```py\n" + "x = 1\n" * 9000, "lazy line\n" * 6000):
        started = time.process_time()
        streamed(pieces(text, 12))
        assert time.process_time() - started < 12


@pytest.mark.parametrize("text", ["[" * 20_000, "$a " * 9_000, "\\(" * 9_000, "![" * 9_000])
def test_hostile_lines_cost_little(text: str) -> None:
    started = time.process_time()
    render(text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("$5 and $10", "<p>$5 and $10</p>\n"),
        ("US$5/$10, 5$ or 6$", "<p>US$5/$10, 5$ or 6$</p>\n"),
        ("$5 (or 5$)", "<p>$5 (or 5$)</p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"),
        ("[a]\n\n[a]: https://x.example", None),
    ],
)
def test_words(text: str, html: str | None) -> None:
    if html is not None:
        assert render(text) == html
    else:
        assert "<p>[a]</p>" in render(text)


@pytest.mark.parametrize(
    "text", ["$x$", "$a + b$", r"\(a < b\)", r"\[ x = 1 \]", "$$\nx\n$$", "a $$x$$ b", "$f(x)$"]
)
def test_math_is_mathml(text: str) -> None:
    assert "<math" in render(text)
    assert "$" not in render(text)


def test_math_that_is_not_understood_is_shown_as_written() -> None:
    assert render(r"\(\frac{\)") == '<p><code class="math">\\frac{</code></p>\n'


def test_text_inside_math_stays_text() -> None:
    assert "<img" not in render(r"\(\text{<img src=x onerror=alert(1)>}\)")


def test_columns_are_aligned_by_class() -> None:
    html = render("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert '<th class="align-center">a</th>' in html
    assert '<td class="align-right">2</td>' in html
    assert "style" not in html


def test_tasks_show_and_cannot_be_ticked() -> None:
    html = render("- [x] done\n- [ ] open")
    assert html.count('<input type="checkbox" disabled=""') == 2
    assert html.count('checked=""') == 1


@pytest.mark.parametrize(
    ("text", "href", "host"),
    [
        ("[x](https://a.example/p 'bank.example')", "https://a.example/p", "a.example"),
        ("<https://a.example>", "https://a.example", ""),
        ("see https://a.example/b_c(d).", "https://a.example/b_c(d)", ""),
        ("see https://\u0430.example", None, "xn--80a.example"),
        ("[https://a.example](https://b.example)", "https://b.example", "b.example"),
        ("![x](http://a.example/p.png)", "http://a.example/p.png", "a.example"),
        ("[x](https://bank.example@evil.example/)", None, "evil.example"),
        ("[x](mailto:a@b.example)", "mailto:a@b.example", "a@b.example"),
    ],
)
def test_links_say_where_they_lead(text: str, href: str | None, host: str) -> None:
    html = render(text)
    assert re.findall('title="(.*?)"', html) == ([host] if host else [])
    assert 'rel="noopener noreferrer nofollow"' in html
    assert "<img" not in html
    if href:
        assert f'href="{href}"' in html


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "vbscript:x",
        "data:text/html,x",
        "java&#9;script:alert(1)",
        "&#106;avascript:alert(1)",
        "//evil.example",
        "file:///etc/passwd",
        "/relative",
        "http://[",
        "JaVaScRiPt:alert(1)",
        "%6aavascript:alert(1)",
        "ftp://a.example",
    ],
)
def test_other_links_are_no_links(target: str) -> None:
    assert "href" not in render(f"[x]({target}) ![x]({target}) <{target}>")


class Elements(HTMLParser):
    """Every element and attribute of some HTML, as a browser would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_can_act(payload: str) -> None:
    for text in (
        payload,
        f"- {payload}",
        f"```\n{payload}\n```",
        f"\\({payload}\\)",
        f"|{payload}|\n|-|",
    ):
        html = render(text)
        assert streamed(pieces(text, 7)) == html
        elements = Elements()
        elements.feed(html)
        for tag, attrs in elements.seen:
            assert tag not in {"script", "img", "iframe", "svg", "style", "object", "form", "base"}
            assert not [name for name in attrs if name.startswith("on") or name in {"style", "src"}]
            assert re.match(r"https?://|mailto:", attrs.get("href") or "https://")
