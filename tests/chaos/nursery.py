"""A process that has imported chatapp, and forks a server of it in a moment: for kills by the hundred.

As a program it forks at each line it reads, and answers with the process id. `Nursery` is its
parent's end of it, and `Child` a server that was born there.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.servers import ROOT


class Child:
    """What subprocess.Popen is for a child of our own. Its exit status is not to be had."""

    def __init__(self, pid: int) -> None:
        self.pid, self.args = pid, ["a forked server"]
        self._end = os.pidfd_open(pid)

    def __del__(self) -> None:
        os.close(self._end)

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        return 0 if select.select([self._end], [], [], timeout)[0] else None


class Nursery:
    """Started with a server's settings; each `birth` is a server with them."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.nursery"],
                cwd=ROOT, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=out,
                text=True,
            )  # fmt: skip
        self.log = log

    def birth(self) -> Child:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Child(int(self.process.stdout.readline()))

    def close(self) -> None:
        with self.process as process:
            process.kill()


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "chatapp.settings"
    import django
    from django.core.management import call_command

    django.setup()
    # The rooms and their libraries, but not the server: its loop is not to be shared.
    import autobahn.websocket.protocol  # noqa: F401
    import twisted.internet.endpoints
    import twisted.web.http  # noqa: F401

    from chatapp import asgi  # noqa: F401
    from chatapp.chat.lifetime import SAMPLE
    from chatapp.chat.markdown import render
    from chatapp.chat.running import Engine, engine
    from chatapp.claude.connection import import_sdk

    import_sdk()
    import anthropic.resources.beta.messages  # noqa: F401 - which it imports at its first use

    render(SAMPLE)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # to its log
        engine.runner = Engine().runner  # its own name, not ours
        call_command("serve", skip_checks=True)
        os._exit(0)


if __name__ == "__main__":
    main()
