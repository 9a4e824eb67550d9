"""docs/settings.md and settings.py say the same: every name, and every default that is a value."""

import ast
import re

from tests.servers import ROOT

DOC = (ROOT / "docs" / "settings.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)` \|(?: (.*?))? \| .+ \|$", re.MULTILINE)
# Read by another way: before the environment is there, or by a library that makes the value.
ELSEWHERE = {"ENV_FILE": None}


def read() -> dict[str, object]:
    """Each setting settings.py reads, with its default where that is a plain value."""
    found: dict[str, object] = dict(ELSEWHERE)
    for call in ast.walk(ast.parse((ROOT / "chatapp" / "settings.py").read_text())):
        match call:
            case ast.Call(ast.Name("secret"), [ast.Constant(str(name))]):
                found |= {name: None, f"{name}_FILE": None}
            case ast.Call(ast.Attribute(ast.Name("env")), [ast.Constant(str(name)), default]):
                value = default.value if isinstance(default, ast.Constant) else None
                found.setdefault(name, value)
    return found


def test_every_setting_is_documented_and_no_other() -> None:
    assert {name for name, _ in ROW.findall(DOC)} == set(read())


def test_defaults_agree() -> None:
    said = {name: text for name, text in ROW.findall(DOC) if text.startswith("`")}
    values = {name: value for name, value in read().items() if value is not None}
    assert values.keys() <= said.keys()
    for name, value in values.items():
        assert ast.literal_eval(said[name].strip("`")) == value, name


def test_every_check_is_documented() -> None:
    source = (ROOT / "chatapp" / "web" / "checks.py").read_text()
    assert set(re.findall(r'id="(chatapp\.[EW]\d+)"', source)) == set(
        re.findall(r"^\| `(chatapp\.[EW]\d+)` \|", DOC, re.MULTILINE)
    )
