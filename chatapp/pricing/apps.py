"""The pricing app's registration with Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PricingConfig(AppConfig):
    name = "chatapp.pricing"
    label = "pricing"
    verbose_name = _("Prices")
    default_auto_field = "django.db.models.BigAutoField"
