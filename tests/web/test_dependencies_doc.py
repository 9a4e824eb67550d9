"""docs/dependencies.md names each library of pyproject.toml, and no other."""

import re
import tomllib

from tests.servers import ROOT


def test_every_library_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = project["project"]["dependencies"] + groups["dev"] + groups["audit"]
    names = {re.split(r"[\[~=<>]", text)[0].lower() for text in wanted}
    doc = (ROOT / "docs" / "dependencies.md").read_text().lower()
    said = re.findall(r"^\| ([\w, .-]+) \|", doc, re.MULTILINE)
    assert {name for row in said for name in row.split(", ")} - {"library"} == names
