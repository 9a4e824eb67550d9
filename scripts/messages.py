"""The catalogues in locale/: every marked word of the code, the pages and the modules, and its translations.

Rewrites each .po (what is translated stays, what is gone is dropped) and compiles it.
"""

import ast
import json
import re
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
# What is called with a word; with the one and the many; with a context and a word.
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop", "lazy", "noop", "spoken"}
PLURAL = {"ngettext", "ngettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy"}
IN_SCRIPTS = re.compile(r'(?<![\w.])(?:_|ngettext)\(\s*((?:"(?:[^"\\]|\\.)*"[\s+,]*)+)')

# A word, or the one and the many; and its context.
Found = Iterator[tuple[str | tuple[str, ...], str | None]]


def python(source: str) -> Found:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                ast.Name(name) | ast.Attribute(attr=name), [ast.Constant(str(first)), *more]
            ):
                second = more[0].value if more and isinstance(more[0], ast.Constant) else None
                if name in PLAIN:
                    yield first, None
                elif name in PLURAL:
                    yield (first, second), None
                elif name in IN_CONTEXT:
                    yield second, first


def template(source: str) -> Found:
    """Django makes a template look like Python, but for its indentation."""
    lines = "\n".join(line.strip() for line in templatize(source).splitlines())
    for _, word, _, context in extract("python", BytesIO(lines.encode())):
        yield word, context


def javascript(source: str) -> Found:
    for call in IN_SCRIPTS.finditer(source):
        words = re.sub(r'"\s*\+\s*"', "", call[1])
        forms = tuple(map(json.loads, re.findall(r'"(?:[^"\\]|\\.)*"', words)))
        yield forms[0] if len(forms) == 1 else forms, None


SOURCES: dict[str, list[tuple[str, Callable[[str], Found]]]] = {
    "django": [("chatapp/**/*.py", python), ("templates/**/*.*", template)],
    "djangojs": [("static/js/*.js", javascript)],
}


def marked(domain: str) -> Catalog:
    """Every word that is marked for translation."""
    catalog = Catalog()
    for pattern, words in SOURCES[domain]:
        for path in sorted(ROOT.glob(pattern)):
            where = [(path.relative_to(ROOT).as_posix(), 0)]
            for word, context in words(path.read_text(encoding="utf-8")):
                if word:
                    catalog.add(word, locations=where, context=context)
    return catalog


def po_file(language: str, domain: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"{domain}.po"


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def compiled(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def rewrite(path: Path) -> Catalog:
    catalog = read(path)
    catalog.update(marked(path.stem), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    for message in catalog:  # one that became a plural, or was one, is to be translated anew
        if message.fuzzy and message.id:
            message.string, message.flags = "", message.flags - {"fuzzy"}
    with path.open("wb") as file:
        write_po(file, catalog, width=100, include_lineno=False, sort_by_file=True)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog


def main() -> int:
    missing = 0
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        words = [message for message in rewrite(path) if message.id]
        open_ = [message for message in words if not all([message.string].pop() or [""])]
        missing += len(open_)
        print(f"{path.relative_to(ROOT)}: {len(words)} words, {len(open_)} not translated")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
