"""The web app's registration with Django."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "chatapp.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.web import checks, health  # noqa: F401 - they register themselves
