"""`manage.py serve`: the chat server."""

from typing import Any

from django.conf import settings
from django.core.checks import WARNING, Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatapp.web.signals import server_greeting, server_started
from chatapp.web.warm import warm_up


class Command(BaseCommand):
    help = "Serve chatapp on HOST and PORT, until SIGTERM or Ctrl+C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--setup", action="store_true", help="run `manage.py setup` first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["setup"]:
            call_command("setup", stdout=self.stdout)
        if settings.PRODUCTION:
            self.check(tags=[Tags.security], include_deployment_checks=True, fail_level=WARNING)
        # Here, since they import models and install Twisted's reactor.
        from channels.routing import get_default_application
        from twisted.internet.endpoints import quoteStringArgument as quote

        from chatapp.web.serve import Server

        server_started.connect(warm_up)
        greeting = [f"chatapp is at {settings.PUBLIC_URL}/", *greetings()]
        endpoint = f"tcp:{settings.PORT}:interface={quote(settings.HOST)}:backlog=1024"
        server = Server(get_default_application(), endpoint, lambda: self.announce(greeting))
        server.run()
        if server.fault:
            raise CommandError(f"{server.fault} Choose another port with PORT=8001.")

    def announce(self, lines: list[str]) -> None:
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def greetings() -> list[str]:
    """What the rooms have to tell whoever starts the server."""
    answers = server_greeting.send(sender=None)
    return [line for _, lines in answers for line in lines or ()]
