"""Modules keep their plain imports; the map leads them to the hashed files, if there are any."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.template import RequestContext, Template
from django.test import RequestFactory, override_settings

from chatapp.web import importmap

PAGE = Template('{% importmap %}{% modulepreload "js/page.js" %}')


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, settings: Any) -> Iterator[None]:
    """page.js imports parts/list.js, which imports socket.js, which imports page.js again."""
    folder = tmp_path / "static" / "js"
    (folder / "parts").mkdir(parents=True)
    (folder / "page.js").write_text('import { a } from "./parts/list.js";\n')
    (folder / "parts" / "list.js").write_text(
        'import {\n  b,\n  c\n} from "../socket.js";\nimport "./alone.js";\n'
    )
    (folder / "parts" / "alone.js").write_text("export const x = 'from \"./not-this.js\"';\n")
    (folder / "socket.js").write_text("export { d } from './page.js';\n")
    settings.BASE_DIR = tmp_path
    settings.STATICFILES_DIRS = [tmp_path / "static"]
    settings.STATIC_ROOT = tmp_path / "collected"
    forget()
    yield
    forget()


def forget() -> None:
    importmap.needs.cache_clear()
    importmap.modules.cache_clear()


def rendered() -> str:
    request = RequestFactory().get("/")
    request.csp_nonce = "n0nce"  # type: ignore[attr-defined]
    return PAGE.render(RequestContext(request, {}))


def test_needs_are_everything_imported_once() -> None:
    expected = ("js/page.js", "js/parts/list.js", "js/socket.js", "js/parts/alone.js")
    assert set(importmap.needs("js/page.js")) == set(expected)
    assert importmap.needs("js/page.js")[0] == "js/page.js"


def test_without_hashed_names_there_is_no_map() -> None:
    html = rendered()
    assert "importmap" not in html
    assert html.count('<link rel="modulepreload" href="/static/js/') == 4


def test_with_hashed_names_each_module_is_mapped() -> None:
    backend = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    with override_settings(STORAGES={"staticfiles": {"BACKEND": backend}}):
        call_command("collectstatic", verbosity=0, interactive=False)
        html = rendered()
    found = re.search(r'<script type="importmap" nonce="n0nce">(.*?)</script>', html)
    assert found
    imports = json.loads(found[1])["imports"]
    assert set(imports) == {
        f"/static/js/{name}.js" for name in ("page", "socket", "parts/list", "parts/alone")
    }
    assert re.fullmatch(
        r"/static/js/parts/list\.[0-9a-f]{12}\.js", imports["/static/js/parts/list.js"]
    )
    assert html.count("modulepreload") == 4
    assert f'href="{imports["/static/js/socket.js"]}"' in html
