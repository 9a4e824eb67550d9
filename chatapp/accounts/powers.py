"""What people may be allowed to do: boxes to tick, said in the reader's language."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Permission
from django.db.models import ManyToManyField
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as noop

# Django's own of every model, by the beginning of their code name.
ACTIONS = {
    "add": noop("add"),
    "change": noop("change"),
    "delete": noop("delete"),
    "view": noop("view"),
}


class Powers(ModelAdmin):
    """A ModelAdmin whose groups and permissions are ticked: screen readers stumble over Django's
    two lists, and a permission is stored with an English name.
    """

    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: Any, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        kwargs["widget"] = CheckboxSelectMultiple
        if db_field.related_model is Permission:
            kwargs["queryset"] = Permission.objects.select_related("content_type")
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field and db_field.related_model is Permission:
            field.label_from_instance = worded  # type: ignore[method-assign,assignment]
        return field


def worded(permission: Permission) -> str:
    """ "Ledger | charge: view", or what it says for itself."""
    kind = permission.content_type
    action = permission.codename.removesuffix(f"_{kind.model}")
    return f"{kind}: {gettext(ACTIONS.get(action) or permission.name)}"
