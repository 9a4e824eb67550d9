"""The import map: plain URLs of our modules to their hashed ones, so that relative imports work.

`import "./socket.js"` in `/static/js/page.js` asks for `/static/js/socket.js`; the map turns that
into `/static/js/socket.1f2e3d.js`, which may be kept for ever. No file is rewritten.
"""

import re
from functools import cache
from posixpath import dirname, join, normpath

from django.conf import settings
from django.templatetags.static import static

IMPORT = re.compile(r"""^\s*(?:import|export)\b[^'";]*["'](\.[^"']+)["']""", re.MULTILINE)


def imports() -> dict[str, str]:
    """The URL of each module that has another than its plain one."""
    plain = {settings.STATIC_URL + name: static(name) for name in modules()}
    return {url: hashed for url, hashed in plain.items() if hashed != url}


@cache
def modules() -> tuple[str, ...]:
    """Names of our modules, like "js/page.js"."""
    root = settings.BASE_DIR / "static"
    return tuple(sorted(path.relative_to(root).as_posix() for path in (root / "js").rglob("*.js")))


@cache
def needs(name: str) -> tuple[str, ...]:
    """The module and everything it imports, itself first."""
    found = [name]
    for module in found:
        source = (settings.BASE_DIR / "static" / module).read_text(encoding="utf-8")
        imported = (normpath(join(dirname(module), path)) for path in IMPORT.findall(source))
        found += dict.fromkeys(path for path in imported if path not in found)
    return tuple(found)
