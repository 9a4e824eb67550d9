"""Template tags of every page: the import map and what to fetch early."""

import json
from functools import cache

from django import template
from django.conf import settings
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation.trans_real import DjangoTranslation
from django.views.i18n import JavaScriptCatalog

from chatapp.web import importmap as modules

register = template.Library()


@register.simple_tag(takes_context=True)
def importmap(context: RequestContext) -> SafeString:
    """The import map, allowed by this page's nonce; it stands before the first module script."""
    imports = modules.imports()
    if not imports:
        return SafeString()
    text = json.dumps({"imports": imports}).replace("<", "\\u003c")
    nonce = context["request"].csp_nonce
    return format_html(
        '<script type="importmap" nonce="{}">{}</script>',
        nonce,
        mark_safe(text),  # noqa: S308 - our own file names
    )


@register.simple_tag
def words() -> SafeString:
    """What our modules say, in this page's language, as data; English stands in the modules."""
    catalog = _words(get_language() or "en")
    return json_script(catalog, "words") if catalog else SafeString()


@cache
def _words(language: str) -> dict[str, str | list[str]]:
    catalog = JavaScriptCatalog()
    catalog.translation = DjangoTranslation(
        language, "djangojs", [*map(str, settings.LOCALE_PATHS)]
    )
    return catalog.get_catalog()


@register.simple_tag
def modulepreload(name: str) -> SafeString:
    """Links that fetch the module and all it imports at once, not one after the other."""
    links = [(static(module),) for module in modules.needs(name)]
    return format_html_join("\n", '<link rel="modulepreload" href="{}">', links)
