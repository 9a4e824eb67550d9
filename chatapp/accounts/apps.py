"""The accounts app's registration with Django."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "chatapp.accounts"
    label = "accounts"
    verbose_name = "People"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.accounts import traces
        from chatapp.accounts.groups import make_groups

        apps.get_app_config("auth").verbose_name = "Access"
        traces.listen()
        post_migrate.connect(make_groups, dispatch_uid="chatapp.accounts.groups")
