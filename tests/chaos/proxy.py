"""A TCP proxy that can cut, swallow, delay and refuse, between two parts of a cluster."""

import asyncio
import contextlib
import socket
import threading
from typing import Any

PIECE = 65536


class Proxy:
    """In a thread and loop of its own. `mode` applies to what is open and to what comes.

    pass; blackhole (nothing goes either way); half (questions arrive, answers are swallowed);
    refuse (new connections are closed at once). `delay` in seconds, each way.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.mode = "pass"
        self.delay = 0.0
        self.port = 0
        self._ends: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> "Proxy":
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=[ready], daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)

    def reset(self) -> None:
        """Cut every open connection with RST."""
        self._loop.call_soon_threadsafe(self._abort)

    def _run(self, ready: threading.Event) -> None:
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._done = asyncio.Event()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._done.wait()
        server.close()
        self._abort()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _abort(self) -> None:
        for end in tuple(self._ends):
            raw = end.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            end.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        other: asyncio.StreamWriter | None = None
        try:
            if self.mode == "refuse":
                return
            while self.mode == "blackhole":  # noqa: ASYNC110 - set from another thread
                await asyncio.sleep(0.05)
            answers, other = await asyncio.open_connection("127.0.0.1", self.target)
            self._ends.add(other)
            ways = self._carry(reader, other, back=False), self._carry(answers, writer, back=True)
            _, pending = await asyncio.wait(
                [asyncio.create_task(way) for way in ways], return_when=asyncio.FIRST_COMPLETED
            )
            for task in pending:
                task.cancel()
        except OSError:
            pass
        finally:
            for end in filter(None, (writer, other)):
                self._ends.discard(end)
                end.close()

    async def _carry(self, reader: Any, writer: asyncio.StreamWriter, *, back: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(PIECE):
                while self.mode == "blackhole":  # noqa: ASYNC110 - set from another thread
                    await asyncio.sleep(0.02)
                if self.mode == "half" and back:
                    continue
                if self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
