"""The claude app's registration with Django, with the server's start and with every page's notices."""

from django.apps import AppConfig


class ClaudeConfig(AppConfig):
    name = "chatapp.claude"
    label = "claude"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.claude import checks  # noqa: F401 - registers itself
        from chatapp.claude.connection import open_early
        from chatapp.claude.demo import demonstration, greeting
        from chatapp.claude.notices import refused, well
        from chatapp.web import health, notices
        from chatapp.web.signals import server_greeting, server_started

        notices.register(demonstration)
        notices.register(refused)
        health.register("claude", well)
        server_greeting.connect(greeting)
        server_started.connect(open_early)
