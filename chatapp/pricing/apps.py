"""The pricing app's registration with Django."""

from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "chatapp.pricing"
    label = "pricing"
    verbose_name = "Prices"
    default_auto_field = "django.db.models.BigAutoField"
