"""The chat app's registration with Django, and with the server whose life it shares."""

from django.apps import AppConfig
from django.utils.translation import gettext


class ChatConfig(AppConfig):
    name = "chatapp.chat"
    label = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.chat import lifetime  # noqa: F401 - its receivers
        from chatapp.chat.markdown import words

        words.spoken = gettext
