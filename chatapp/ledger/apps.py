"""The ledger app's registration with Django, with the price book and with every page's notices."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "chatapp.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.ledger.notices import waiting_calls
        from chatapp.ledger.rerating import LedgerRepricer
        from chatapp.pricing import repricing
        from chatapp.web import notices

        repricing.register(LedgerRepricer())
        notices.register(waiting_calls)
