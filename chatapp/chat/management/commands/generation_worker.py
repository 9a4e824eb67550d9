"""`manage.py generation_worker`: writes replies and serves no pages."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from chatapp.chat.running import engine
from chatapp.web.signals import GRACE, server_draining, server_started, tell


class Command(BaseCommand):
    help = "Write replies for `manage.py serve` processes that run with GENERATIONS=0."

    def handle(self, *args: Any, **options: Any) -> None:
        engine.writes = True
        asyncio.run(self.work())

    async def work(self) -> None:
        """Until SIGTERM or Ctrl+C: then replies end in good order, at a second one at once."""
        asked = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked.set)
        await tell(server_started)
        self.stdout.write("writing replies")
        self.stdout.flush()
        await asked.wait()
        asked.clear()
        draining = asyncio.create_task(tell(server_draining, grace=GRACE))
        again = asyncio.create_task(asked.wait())
        await asyncio.wait([draining, again], return_when=asyncio.FIRST_COMPLETED)
        if again.done():
            await tell(server_draining, grace=0.0)
        again.cancel()
        await draining
