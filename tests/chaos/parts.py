"""The parts of a cluster as processes that can be killed, frozen and started again on their port."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests import servers
from tests.chaos.nursery import Child


@dataclass
class Part:
    """A process with a log. Its children (PostgreSQL's) are frozen and killed with it."""

    folder: Path
    command: list[str] = field(default_factory=list)
    env: dict[str, str] | None = None
    cwd: Path = servers.ROOT
    process: subprocess.Popen[bytes] | Child | None = None
    # Popen's arguments to act as who it runs as.
    owner: dict[str, Any] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        assert self.process
        return self.process.pid

    @property
    def memory(self) -> int:
        """Resident megabytes."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGESIZE") >> 20

    def launch(self, ready: Callable[[], Any], **options: Any) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.cwd,
                env=self.env,
                stdout=out,
                stderr=out,
                start_new_session=True,
                **options,
            )
        servers.until(ready, process=self.process, log=self.log)

    def stop(self, how: int = signal.SIGTERM, patience: float = 40) -> int:
        """End it; returns the exit status."""
        process, self.process = self.process, None
        return servers.end(process, how, patience) if process else 0

    def kill(self) -> None:
        if self.process:
            self.signal(signal.SIGKILL)
            self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        self._each(lambda pid: os.kill(pid, number))

    def _each(self, act: Callable[[int], Any]) -> None:
        for pid in [self.pid, *children(self.pid)]:
            with suppress(ProcessLookupError):  # it ended by itself meanwhile
                act(pid)


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


class Postgres(Part):
    """A server with its own data, whose files outlive its process."""

    def prepare(self) -> None:
        self.owner = servers.unprivileged()
        self.port = servers.free_port()
        self.folder.chmod(0o755)
        binaries = servers.reachable(servers.postgresql_binaries(), self.folder)
        self.cwd = self.folder / "home"
        self.cwd.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self.cwd, "nobody", "nogroup")
        self.data = self.cwd / "data"
        initdb = [str(binaries / "initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust"]
        initdb += ["-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=self.cwd, **self.owner)
        self.command = [str(binaries / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        for option in (
            *("fsync=off", "full_page_writes=off", "unix_socket_directories="),
            "listen_addresses=127.0.0.1",
        ):
            self.command += ["-c", option]
        self.start()
        with psycopg.connect(self._url("postgres"), autocommit=True) as admin:
            admin.execute("CREATE ROLE chatapp LOGIN")
            admin.execute("CREATE DATABASE chatapp OWNER chatapp")

    def _url(self, database: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    @property
    def url(self) -> str:
        """The administrator's way in: for it the server keeps connections that nobody else gets."""
        return self._url("chatapp")

    def connect(self) -> psycopg.Connection[Any]:
        """Patiently: it may be on its way up."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return psycopg.connect(self.url, autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def start(self) -> None:
        ready = self._url("postgres")
        self.launch(lambda: servers.accepts(ready), **self.owner)

    def halt(self) -> None:
        """At once and without goodbyes, as when the machine is taken away."""
        self.stop(signal.SIGQUIT)

    @contextmanager
    def limited(self, option: str) -> Iterator[None]:
        """With an option more, while this lasts."""
        before = list(self.command)
        self.halt()
        self.command += ["-c", option]
        self.start()
        try:
            yield
        finally:
            self.halt()
            self.command = before
            self.start()


class Redis(Part):
    def prepare(self) -> None:
        self.port = servers.free_port()
        self.command = [servers.redis_binary(), "--port", str(self.port), "--bind", "127.0.0.1"]
        self.command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.launch(lambda: servers.pongs(self.url))


class Nginx(Part):
    """deploy/nginx.conf with the ports, names and paths of this machine."""

    MAIN = """
        daemon off; pid nginx.pid; error_log stderr warn; worker_processes 1;
        {user}
        events {{ worker_connections 8192; }}
        http {{
            access_log off;
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            include chatapp-upstream.conf;
            include chatapp.conf;
        }}
    """

    def prepare(self, upstreams: list[int], certificate: Path, key: Path) -> None:
        self.port, self.plain = servers.free_port(), servers.free_port()
        deploy = servers.ROOT / "deploy"
        config = replaced(
            (deploy / "nginx.conf").read_text(),
            {
                "listen 80;": f"listen 127.0.0.1:{self.plain};",
                "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
                "chat.example.com": "127.0.0.1",
                "/etc/ssl/chatapp/fullchain.pem": str(certificate),
                "/etc/ssl/chatapp/privkey.pem": str(key),
            },
        )
        upstream = replaced(
            (deploy / "nginx-upstream.conf").read_text(),
            {
                "127.0.0.1:8000": f"127.0.0.1:{upstreams[0]}",
                "127.0.0.1:8001": f"127.0.0.1:{upstreams[1]}",
            },
        )
        (self.folder / "chatapp.conf").write_text(config)
        (self.folder / "chatapp-upstream.conf").write_text(upstream)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(self.MAIN.format(user=user))
        self.command = [nginx_binary(), "-p", str(self.folder), "-c", "nginx.conf"]

    def start(self) -> None:
        self.launch(lambda: listens(self.port))

    def reload(self) -> None:
        os.kill(self.pid, signal.SIGHUP)


def replaced(text: str, values: dict[str, str]) -> str:
    for old, new in values.items():
        assert old in text, f"deploy/ has no {old!r} any more"
        text = text.replace(old, new)
    return text


def nginx_binary() -> str:
    path = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not path and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", "nginx-light"])
        path = shutil.which("nginx", path="/usr/sbin")
    if not path:
        raise servers.Missing("nginx: not in $PATH")
    return path


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def within(seconds: float, condition: Callable[[], Any], what: str) -> Any:
    """What `condition` says once it says something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return found
