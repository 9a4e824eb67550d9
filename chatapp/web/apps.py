"""The web app's registration with Django."""

from django.apps import AppConfig
from django.utils import translation


class WebConfig(AppConfig):
    name = "chatapp.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.web import checks, health, memory  # noqa: F401 - they register themselves
        from chatapp.web.signals import server_started

        server_started.connect(memory.watch)

        # Commands, logs and what is stored are English; pages, sockets and mails say otherwise.
        translation.deactivate_all()
