"""The accounts app's registration with Django."""

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from chatapp.web.signals import server_greeting


class AccountsConfig(AppConfig):
    name = "chatapp.accounts"
    label = "accounts"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.accounts import traces
        from chatapp.accounts.groups import make_groups

        apps.get_app_config("auth").verbose_name = _("Access")
        traces.listen()
        post_migrate.connect(make_groups, dispatch_uid="chatapp.accounts.groups")
        server_greeting.connect(greet, dispatch_uid="chatapp.accounts.greet")


def greet(**kwargs: Any) -> list[str]:
    """What `manage.py serve` prints while there is no admin."""
    from chatapp.accounts.models import setup_link

    link = setup_link()
    return [f"Make the first admin (works once, for a day): {link}"] if link else []
