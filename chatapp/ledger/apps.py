"""The ledger app's registration with Django, with the price book and with every page's notices."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "chatapp.ledger"
    label = "ledger"
    verbose_name = _("Ledger")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chatapp.ledger import traces
        from chatapp.ledger.notices import unknown_counters, used_up, waiting_calls
        from chatapp.ledger.rerating import LedgerRepricer
        from chatapp.ledger.watch import watch
        from chatapp.pricing import repricing
        from chatapp.web import notices
        from chatapp.web.signals import server_draining, server_started

        traces.listen()
        repricing.register(LedgerRepricer())
        notices.register(waiting_calls)
        notices.register(unknown_counters)
        notices.register(used_up)
        server_started.connect(watch.start)
        server_draining.connect(watch.close)
