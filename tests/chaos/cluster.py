"""The whole of deploy/ on loopback ports, from installed binaries: `make cluster`.

PostgreSQL, Redis, nginx with TLS, and the processes of deploy/Procfile with the settings of
deploy/chatapp.env. `single()` is the other end: one process on one SQLite file.
"""

import argparse
import datetime
import ipaddress
import json
import os
import re
import shlex
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import servers
from tests.chaos.nursery import Nursery
from tests.chaos.parts import Nginx, Part, Postgres, Redis
from tests.chaos.proxy import Proxy
from tests.upstream import Upstream

DEPLOY = servers.ROOT / "deploy"
KEY = "sk-chaos-key-that-no-log-may-hold"
PEOPLE = 24
SESSIONS = """
import json
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
people = {}
for number in range(%d):
    user, _ = get_user_model().objects.get_or_create(username=f"person{number}")
    client = Client()
    client.force_login(user)
    people[user.username] = client.cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps(people))
"""


def procfile() -> dict[str, list[str]]:
    """The commands of deploy/Procfile, with this interpreter."""
    lines = (DEPLOY / "Procfile").read_text().splitlines()
    found = {}
    for line in lines:
        name, _, command = line.partition(":")
        python, *rest = shlex.split(command)
        assert python == ".venv/bin/python"
        found[name] = [sys.executable, *rest]
    return found


def environment() -> dict[str, str]:
    """The settings of deploy/chatapp.env."""
    lines = (DEPLOY / "chatapp.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Node(Part):
    """One process of chatapp: `serve` on a port of its own, or a worker."""

    port = 0
    nursery: Nursery | None = None

    def start(self, **changes: str) -> None:
        """With `changes` to its settings, which it keeps."""
        self.env = (self.env or {}) | changes
        before = self._greetings()
        if self.nursery:
            self.process = self.nursery.birth()
            servers.until(lambda: self._greetings() > before, process=self.process, log=self.log)
        else:
            self.launch(lambda: self._greetings() > before)

    def _greetings(self) -> int:
        return len(READY.findall(self.log.read_text())) if self.log.exists() else 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def restart(self, how: int = signal.SIGTERM, **changes: str) -> int:
        status = self.stop(how)
        self.start(**changes)
        return status


READY = re.compile(r"^(?:chatapp is at|writing replies)", re.MULTILINE)


@dataclass
class Cluster:
    """What runs, and the way in. `url` is where people go, `origin` what their pages say."""

    folder: Path
    vendor: Upstream
    nodes: list[Node]
    url: str
    sessions: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    cookie: str = "sessionid"
    postgres: Postgres | None = None
    redis: Redis | None = None
    nginx: Nginx | None = None
    database: Proxy | None = None

    @property
    def origin(self) -> str:
        return self.url

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        env = self.nodes[0].env
        done = subprocess.run(command, cwd=servers.ROOT, env=env, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the database, asked past the proxy; `%s` stands for each parameter."""
        if self.postgres:
            with self.postgres.connect() as database:
                cursor = database.execute(sql, parameters)  # type: ignore[arg-type]
                return cursor.fetchall() if cursor.description else []
        file = self.folder / "data" / "db.sqlite3"
        with closing(sqlite3.connect(file, isolation_level=None, timeout=20)) as database:
            return database.execute(sql.replace("%s", "?"), parameters).fetchall()

    def writer(self, gen: str) -> Node:
        """The process that writes this reply."""
        key = gen if self.postgres else gen.replace("-", "")
        ((runner,),) = self.query("SELECT runner FROM chat_generation WHERE id = %s", key)
        pid = int(runner.split("-")[-2])
        return next(node for node in self.nodes if node.process and node.pid == pid)

    def other(self, node: Node) -> Node:
        return next(n for n in self.nodes if n is not node and n.port)

    def heal(self) -> None:
        """Whatever a row did to it: everything runs again, and nothing is in the way."""
        if self.database:
            self.database.mode, self.database.delay = "pass", 0.0
        for part in filter(None, (self.postgres, self.redis)):
            if part.alive:
                part.thaw()
            else:
                part.start()
        fallen = []
        for node in filter(None, (self.nginx, *self.nodes)):
            if node.alive:
                node.thaw()
            else:
                fallen.append(node)
        self.start(*fallen)

    @contextmanager
    def changed(self, *, quick: bool = False, **changes: str) -> Iterator[None]:
        """All processes anew with other settings, while this lasts; `quick` ones start at once."""
        before = [node.env for node in self.nodes]
        self.stop()
        for node in self.nodes:
            node.env = (node.env or {}) | changes
            node.nursery = Nursery(node.env, node.log) if quick else None
        self.start(*self.nodes)
        try:
            yield
        finally:
            self.stop()
            for node, env in zip(self.nodes, before, strict=True):
                if node.nursery:
                    node.nursery.close()
                node.nursery, node.env = None, env
            self.start(*self.nodes)

    def stop(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Part.stop, self.nodes))

    def start(self, *parts: "Node | Nginx") -> None:
        """At the same time, since imports take seconds."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda part: part.start(), parts))

    def end(self) -> None:
        """All at the same time; what does not end in good order is killed."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(Part.stop, filter(None, (self.nginx, *self.nodes))))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(host, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(encoding))
    (folder / "privkey.pem").write_bytes(private)
    return folder / "fullchain.pem", folder / "privkey.pem"


def _part(kind: type[Any], folder: Path, name: str) -> Any:
    (folder / name).mkdir()
    return kind(folder / name)


def _processes(folder: Path, names: list[str], env: dict[str, str]) -> list[Node]:
    """One process of the Procfile for each name, not started yet."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    kept |= {"ENV_FILE": os.devnull, "PYTHONUNBUFFERED": "1", "DATA_DIR": str(folder / "data")}
    nodes = []
    for number, name in enumerate(names):
        node = _part(Node, folder, f"{name}{number}")
        node.port = servers.free_port() if name == "web" else 0
        node.command = procfile()[name]
        node.env = kept | env | ({"PORT": str(node.port)} if node.port else {})
        nodes.append(node)
    return nodes


@contextmanager
def cluster(workers: int = 0, **extra: str) -> Iterator[Cluster]:
    """Two web processes (and workers, which then write alone) behind nginx, with `extra` settings."""
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="chatapp-cluster-"))
        folder = Path(name)
        folder.chmod(0o755)
        vendor = stack.enter_context(Upstream())
        postgres, redis = _part(Postgres, folder, "postgres"), _part(Redis, folder, "redis")
        nginx = _part(Nginx, folder, "nginx")
        for part in (postgres, redis):
            stack.callback(part.kill)
            part.prepare()
        redis.start()
        database = stack.enter_context(Proxy(postgres.port))
        (folder / "secret_key").write_text(os.urandom(40).hex())
        (folder / "anthropic_key").write_text(KEY)
        names = ["web", "web"] + ["worker"] * workers
        nodes = _processes(folder, names, {})
        nginx.prepare([nodes[0].port, nodes[1].port], *certificate(folder))
        env = environment() | {
            "PUBLIC_URL": f"https://127.0.0.1:{nginx.port}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": f"postgres://chatapp@127.0.0.1:{database.port}/chatapp",
            "REDIS_URL": redis.url,
            "SECRET_KEY_FILE": str(folder / "secret_key"),
            "ANTHROPIC_API_KEY_FILE": str(folder / "anthropic_key"),
            "ANTHROPIC_BASE_URL": vendor.url,
            "GENERATIONS": "0" if workers else "1",
        }
        for node in nodes:
            node.env = (node.env or {}) | env | extra
        tls = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
        made = Cluster(folder, vendor, nodes, f"https://127.0.0.1:{nginx.port}", tls=tls)
        made.cookie = "__Host-sessionid"
        made.postgres, made.redis, made.nginx, made.database = postgres, redis, nginx, database
        _prepare(made)
        stack.callback(made.end)
        made.start(*nodes, nginx)
        yield made


@contextmanager
def single(**extra: str) -> Iterator[Cluster]:
    """One process on a SQLite file, without Redis or nginx."""
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="chatapp-single-"))
        folder = Path(name)
        vendor = stack.enter_context(Upstream())
        env = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": vendor.url}
        (node,) = _processes(folder, ["web"], env | extra)
        made = Cluster(folder, vendor, [node], node.url)
        _prepare(made)
        stack.callback(made.end)
        made.start(node)
        yield made


def _prepare(made: Cluster) -> None:
    setup = procfile()["setup"][2:]
    made.manage(*setup)
    code = SESSIONS % PEOPLE
    made.sessions = json.loads(made.manage("shell", "--no-imports", "-v0", "-c", code))


def main() -> None:
    """Run it until Ctrl+C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=0, help="generation_worker processes")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt), cluster(options.workers) as made:
        made.vendor.faults = "[[slow:20+words:200]]"
        link = made.nodes[0].log.read_text().strip()
        print(f"{link}\nThe certificate is signed by itself. Ctrl+C ends everything.", flush=True)
        signal.pause()


if __name__ == "__main__":
    try:
        main()
    except servers.Missing as reason:
        sys.exit(f"{reason}")
