"""The claude app's registration with Django."""

from django.apps import AppConfig


class ClaudeConfig(AppConfig):
    name = "chatapp.claude"
    label = "claude"
    default_auto_field = "django.db.models.BigAutoField"
