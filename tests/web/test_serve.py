"""The server: orderly ends, slow readers, floods, large bodies, what clients may not set.

It runs in a process of its own around a small application that does what its path says.
"""

import asyncio
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import websockets
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from chatapp.web.connections import Factory
from tests import servers

PROGRAM = [sys.executable, "-m", "tests.web.serving"]


class Served:
    """The process of serving.py."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def http(self, request: str, body: bytes = b"") -> bytes:
        """What the server answers to these very bytes, until it closes or pauses."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(request.replace("\n", "\r\n").encode() + body)
            return connection.recv(65536)

    def memory(self) -> int:
        """Resident megabytes."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", text)
        assert found
        return int(found[1]) // 1024

    def end(self, how: int | None = signal.SIGTERM) -> tuple[int, str]:
        """Exit status, and what it printed."""
        if how:
            self.process.send_signal(how)
        out, _ = self.process.communicate(timeout=20)
        return self.process.returncode, out


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    port = servers.free_port()
    command = [*PROGRAM, str(port), *arguments]
    process = subprocess.Popen(command, cwd=servers.ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        assert process.stdout.readline() == "ready\n"
        yield Served(process, port)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as running:
        yield running


HALF = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"
UPGRADE = (
    "GET /echo HTTP/1.1\nHost: x\nUpgrade: websocket\nConnection: Upgrade\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n"
)


def frame(first: int, payload: bytes) -> bytes:
    """A short frame as a client sends it, under a mask of zeros."""
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


def half_a_request(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(HALF.encode())
    return connection


class TestEnd:
    @pytest.fixture
    def server(self) -> Iterator[Served]:
        with served() as running:
            yield running

    async def test_drains_closes_sockets_with_1012_and_exits_with_0(self, server: Served) -> None:
        with half_a_request(server.port):
            async with websockets.connect(f"{server.ws}/echo") as browser:
                await browser.send("hello")
                assert await browser.recv() == "hello"
                server.process.send_signal(signal.SIGTERM)
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await asyncio.wait_for(browser.recv(), 10)
                assert closed.value.rcvd
                assert closed.value.rcvd.code == 1012
            status, printed = await asyncio.to_thread(server.end, None)
        assert (status, printed) == (0, "draining 25\n")

    @pytest.mark.parametrize("code", [1000, 1008, 1012, 4403])
    async def test_closes_with_the_code_that_the_application_wants(
        self, server: Served, code: int
    ) -> None:
        async with websockets.connect(f"{server.ws}/echo") as browser:
            await browser.send(f"close {code}")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(browser.recv(), 10)
            assert closed.value.rcvd
            assert closed.value.rcvd.code == code

    async def test_waits_for_the_work_and_the_pages_under_way(self) -> None:
        with served("--work", "1") as server:
            page = asyncio.to_thread(server.http, "GET /slow HTTP/1.1\nHost: x\n\n")
            answer = asyncio.ensure_future(page)
            await asyncio.sleep(0.3)
            status, printed = await asyncio.to_thread(server.end)
            assert b"slow page" in await answer
        assert (status, printed) == (0, "draining 25\nwork done\n")

    def test_takes_no_new_connections_while_draining(self) -> None:
        with served("--work", "1") as server:
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            with pytest.raises(OSError, match="refused"):
                server.http("GET / HTTP/1.1\nHost: x\n\n")

    def test_a_second_signal_hurries(self) -> None:
        with served("--work", "15") as server:
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            status, printed = server.end(signal.SIGINT)
        assert (status, printed) == (0, "draining 25\ndraining 0\nwork hurried\n")
        assert time.monotonic() - began < 5

    def test_a_socket_that_does_not_answer_is_left(self, server: Served) -> None:
        request = (
            "GET /stubborn HTTP/1.1\nHost: x\nUpgrade: websocket\nConnection: Upgrade\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n"
        )
        assert b"101" in server.http(request)
        began = time.monotonic()
        assert server.end()[0] == 0
        assert time.monotonic() - began < 20  # it would stay for ever

    def test_a_taken_port_is_said(self, server: Served) -> None:
        command = [*PROGRAM, str(server.port)]
        second = subprocess.run(command, cwd=servers.ROOT, capture_output=True, text=True)
        assert second.returncode == 1
        assert "Address already in use" in second.stderr


class TestFlow:
    async def test_a_slow_reader_is_waited_for_then_cut_off(self) -> None:
        with served("--slowest", "1") as server:
            before = server.memory()
            slow = socket.create_connection(("127.0.0.1", server.port))
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(
                b"GET /pour HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            async with websockets.connect(f"{server.ws}/pour", max_size=None) as fast:
                received = [await fast.recv() for _ in range(6000)]
            assert len(received) == 6000
            await asyncio.sleep(2)
            assert server.memory() - before < 20
            with slow, pytest.raises(ConnectionResetError):
                while slow.recv(65536):
                    pass

    async def test_a_flood_is_closed_with_1008(self, server: Served) -> None:
        async with websockets.connect(f"{server.ws}/deaf") as flood:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                for _ in range(5000):
                    await flood.send("x" * 1000)
                await flood.recv()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1008

    async def test_frames_are_compressed_and_read_again(self, server: Served) -> None:
        async with websockets.connect(f"{server.ws}/echo") as browser:
            assert browser.response
            agreed = browser.response.headers["Sec-WebSocket-Extensions"]
            assert agreed.startswith("permessage-deflate")
            for text in [
                "short",
                "x" * 127,
                "y" * 128,
                *(f"{n} {'words ' * n}" for n in range(99)),
            ]:
                await browser.send(text)
                assert await browser.recv() == text

    # The longer one is 40 kB on the wire.
    @pytest.mark.parametrize("size", [256 * 1024 + 1, 40_000_000])
    async def test_a_message_that_is_too_long_is_closed_with_1009(
        self, server: Served, size: int
    ) -> None:
        before = server.memory()
        async with websockets.connect(f"{server.ws}/echo") as browser:
            await browser.send("x" * size)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await browser.recv()
            assert closed.value.rcvd
            assert closed.value.rcvd.code == 1009
        assert server.memory() - before < 20

    # A first byte says: the last fragment or not, and the opcode; what a client sends is masked.
    @pytest.mark.parametrize(
        ("frames", "code"),
        [
            (frame(0x81, b"\xff\xfe"), 1007),
            (frame(0x81, b"\xc3"), 1007),
            (frame(0x83, b"x"), 1002),
            (frame(0xC1, b"x"), 1002),
            (frame(0x80, b"x"), 1002),
            (frame(0x09, b"x"), 1002),
            (frame(0x01, b"x" * 100) + frame(0x00, b"x" * 100) * 3_000, 1009),
            (b"\x81\xff" + struct.pack(">Q", 1 << 62) + bytes(4), 1009),
        ],
    )
    def test_frames_against_the_protocol_are_closed_with_its_code(
        self, server: Served, frames: bytes, code: int
    ) -> None:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as browser:
            browser.sendall(UPGRADE.replace("\n", "\r\n").encode())
            assert b" 101 " in browser.recv(65536)
            browser.sendall(frames)
            opcode, _, *said = browser.recv(65536)
        assert (opcode, bytes(said[:2])) == (0x88, struct.pack(">H", code))

    async def test_a_message_in_very_many_pieces_is_one(self, server: Served) -> None:
        async with websockets.connect(f"{server.ws}/echo", compression=None) as browser:
            await browser.send("x" for _ in range(20_000))
            assert await browser.recv() == "x" * 20_000

    @pytest.mark.parametrize("size", ["Content-Length: 300000000", "Transfer-Encoding: chunked"])
    def test_a_large_body_is_refused_at_once(self, server: Served, size: str) -> None:
        body = b"x" * 2_000_000
        if "chunked" in size:
            body = b"%x\r\n%s\r\n" % (len(body), body)
        before = server.memory()
        answer = server.http(f"POST /body HTTP/1.1\nHost: x\n{size}\n\n", body)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert server.memory() - before < 20

    @pytest.mark.parametrize("head", ["", "GET / HTTP/1.1\r\nHost: x\r\n", HALF])
    def test_who_stops_in_the_middle_of_a_request_is_cut_off(self, head: str) -> None:
        clock, transport = Clock(), StringTransport()
        factory = Factory(SimpleNamespace(protocol_connected=lambda _: None))
        factory.reactor = clock
        protocol = factory.buildProtocol(None)
        protocol.makeConnection(transport)
        protocol.dataReceived(head.encode())
        clock.advance(59)
        assert not transport.disconnecting
        clock.advance(2)
        assert transport.disconnecting

    def test_an_ordinary_body_arrives(self, server: Served) -> None:
        answer = server.http("POST /body HTTP/1.1\nHost: x\nContent-Length: 5\n\n", b"hello")
        assert b"5 bytes" in answer


class TestHeaders:
    def test_clients_cannot_move_the_root(self, server: Served) -> None:
        request = "GET /scope HTTP/1.1\nHost: x\nDaphne-Root-Path: //evil\n\n"
        assert b"root_path=''" in server.http(request)

    def test_the_server_has_no_name(self, server: Served) -> None:
        assert b"server:" not in server.http("GET /scope HTTP/1.1\nHost: x\n\n").lower()

    @pytest.mark.parametrize(
        ("proxies", "client"), [("0", "127.0.0.1"), ("1", "9.9.9.9"), ("2", "5.5.5.5")]
    )
    def test_only_trusted_proxies_name_the_client(self, proxies: str, client: str) -> None:
        with served("--proxies", proxies) as server:
            request = "GET /scope HTTP/1.1\nHost: x\nX-Forwarded-For: 1.1.1.1, 5.5.5.5,9.9.9.9\n\n"
            assert f"client={client}".encode() in server.http(request)

    @pytest.mark.parametrize(
        "request_head",
        [
            "GET /\u00fc HTTP/1.1\nHost: x\n\n",
            "POST /body HTTP/1.1\nHost: x\nContent-Length: 5\nTransfer-Encoding: chunked\n\n",
            "POST /body HTTP/1.1\nHost: x\nTransfer-Encoding: xchunked\n\n",
            "POST /body HTTP/1.1\nHost: x\nContent-Length: 5\nContent-Length: 6\n\n",
            "GET /scope HTTP/1.1\nHost: x\nHost: evil.example\n\n",
            "GET /scope HTTP/1.1\nHost: x\nA: b\x0bc\n\n",
            "GET /scope HTTP/1.1\nHost: x\nA: b\x00c\n\n",
            UPGRADE.replace("\n\n", "\nA: b\x0bc\n\n"),
            "GET /scope HTTP/1.1\nHost: x\nA b: c\n\n",
            "GET /scope HTTP/1.1\nHost: x\n" + "A: b\n" * 600 + "\n",
            "GET /" + "x" * 20_000 + " HTTP/1.1\nHost: x\n\n",
            "nonsense\n\n",
        ],
    )
    def test_nonsense_is_answered_plainly(self, server: Served, request_head: str) -> None:
        answer = server.http(request_head)
        assert answer[:13] in (b"HTTP/1.1 400 ", b"")  # or closed without a word
        assert b"<" not in answer
