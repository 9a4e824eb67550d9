"""The ledger app's registration with Django."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "chatapp.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
