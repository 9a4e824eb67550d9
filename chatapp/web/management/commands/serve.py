"""`manage.py serve`: the chat server."""

from typing import Any

from django.conf import settings
from django.core.checks import WARNING, Tags
from django.core.management.base import BaseCommand, CommandError

from chatapp.web.signals import server_greeting


class Command(BaseCommand):
    help = "Serve chatapp on HOST and PORT, until SIGTERM or Ctrl+C."

    def handle(self, *args: Any, **options: Any) -> None:
        from twisted.internet.endpoints import quoteStringArgument

        from chatapp.asgi import application

        if settings.PRODUCTION:
            tags = [Tags.security]
            self.check(tags=tags, include_deployment_checks=True, fail_level=WARNING)
        from chatapp.web.serve import Server  # installs Twisted's reactor

        endpoint = (
            f"tcp:{settings.PORT}:interface={quoteStringArgument(settings.HOST)}:backlog=1024"
        )
        server = Server(application, endpoint, self.announce)
        server.run()
        if server.fault:
            raise CommandError(f"{server.fault} Choose another port with PORT=8001.")

    def announce(self) -> None:
        self.stdout.write(self.style.SUCCESS(f"chatapp is at {settings.PUBLIC_URL}/"))
        for _, lines in server_greeting.send_robust(sender=None):
            for line in lines if isinstance(lines, list) else []:
                self.stdout.write(line)
        self.stdout.flush()
