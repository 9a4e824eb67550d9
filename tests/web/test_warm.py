"""A new server is as quick as an old one."""

import pytest
from django.template import engines

from chatapp.web.warm import compile_all


@pytest.mark.once
def test_templates_are_compiled_before_the_first_visit() -> None:
    compile_all()
    (cached,) = engines["django"].engine.template_loaders
    for name in ("base.html", "_nav.html", "chat/_message.html", "dashboard/spend.html"):
        assert any(name in key for key in cached.get_template_cache)
