"""A program for test_serve.py: chatapp's server around an application that does as its path says."""

import argparse
import asyncio
from typing import Any

from django.conf import settings

parser = argparse.ArgumentParser()
parser.add_argument("port", type=int)
parser.add_argument("--work", type=float, default=0)
parser.add_argument("--slowest", type=float, default=10)
parser.add_argument("--proxies", type=int, default=0)
options = parser.parse_args()
settings.configure(MAX_BODY=1_000_000, PROXIES=options.proxies)

from chatapp.web import serve  # noqa: E402
from chatapp.web.signals import server_draining  # noqa: E402


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    match scope["path"]:
        case "/echo" | "/stubborn" | "/pour" | "/deaf":
            await sockets(scope["path"], receive, send)
        case "/scope":
            await page(send, f"root_path={scope['root_path']!r} client={scope['client'][0]}")
        case "/slow":
            await asyncio.sleep(1)
            await page(send, "slow page")
        case "/body":
            size = 0
            while (message := await receive())["type"] == "http.request":
                size += len(message["body"])
                if not message["more_body"]:
                    break
            await page(send, f"{size} bytes")


async def page(send: Any, text: str) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": text.encode()})


async def sockets(path: str, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    if path == "/deaf":
        await asyncio.sleep(60)
    if path == "/pour":
        await pour(send)
    while (message := await receive())["type"] == "websocket.receive":
        if message["text"].startswith("close "):
            await send({"type": "websocket.close", "code": int(message["text"].split()[1])})
            return
        await send({"type": "websocket.send", "text": message["text"]})
    if path == "/stubborn":
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                await asyncio.sleep(1)


async def pour(send: Any) -> None:
    for _ in range(6000):
        await send({"type": "websocket.send", "text": "x" * 1000})


hurry = asyncio.Event()


async def work(grace: float, **kwargs: Any) -> None:
    print(f"draining {grace:.0f}", flush=True)
    if not grace:
        hurry.set()
    elif options.work:
        try:
            await asyncio.wait_for(hurry.wait(), options.work)
            print("work hurried", flush=True)
        except TimeoutError:
            print("work done", flush=True)


server_draining.connect(work)
serve.SLOWEST = options.slowest
server = serve.Server(
    application,
    f"tcp:{options.port}:interface=127.0.0.1",
    lambda: print("ready", flush=True),
)
server.run()
if server.fault:
    raise SystemExit(f"{server.fault}")
