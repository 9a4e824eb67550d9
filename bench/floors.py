"""What no chat server of these parts can be cheaper than: the SDK reading, Daphne sending.

`python bench/floors.py sdk URL STREAMS CHUNKS` reads streams of bench/vendor.py and prints the
processor's seconds, the chunks of the middle of that time, and the seconds until the first text.
`python bench/floors.py asgi PORT` sends stamped frames to each socket that names its count.
"""

import asyncio
import json
import sys
import time
from typing import Any

SETTLE = 1.0  # seconds until all streams run
FRAME = '{"type":"delta","gen":"01234567-89ab-cdef-0123-456789abcdef","epoch":1,'


async def read(url: str, streams: int, chunks: int) -> dict[str, float]:
    from anthropic import AsyncAnthropic, DefaultAioHttpClient

    heard = 0
    firsts: list[float] = []

    async def one(client: AsyncAnthropic) -> None:
        nonlocal heard
        asked, first = time.monotonic(), True
        prompt = f"rate:50 chunks:{chunks}"
        stream = await client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=4096,
            messages=[{"role": "user", "content": prompt}],
            stream=True,
        )
        async for event in stream:
            if event.type == "content_block_delta":
                heard += 1
                if first:
                    firsts.append(time.monotonic() - asked)
                    first = False

    async with AsyncAnthropic(
        api_key="bench", base_url=url, http_client=DefaultAioHttpClient(), max_retries=0
    ) as client:
        await one_of(client)
        if streams == 1:
            for _ in range(20):
                await one(client)
            return {"first": sorted(firsts)[len(firsts) // 2]}
        tasks = [asyncio.create_task(one(client)) for _ in range(streams)]
        await asyncio.sleep(SETTLE)
        cpu, before = time.process_time(), heard
        await asyncio.sleep(chunks / 50 - 2 * SETTLE)
        found = {"cpu": time.process_time() - cpu, "chunks": heard - before}
        await asyncio.gather(*tasks)
    return found


async def one_of(client: Any) -> None:
    """Everything imported and connected before anything is measured."""
    await client.messages.count_tokens(model="m", messages=[{"role": "user", "content": "x"}])


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    chunks = int((await receive())["text"])
    loop = asyncio.get_running_loop()
    due = loop.time()
    for number in range(chunks):
        off, stamp = 32 * number, time.monotonic()
        text = f'{FRAME}"off":{off},"s":"@{stamp:017.6f} and some words"}}'
        await send({"type": "websocket.send", "text": text})
        due += 1 / 50
        await asyncio.sleep(due - loop.time())
    await send({"type": "websocket.send", "text": '{"type":"done"}'})
    await receive()


def push(port: str) -> None:
    from daphne.server import Server

    ready = [lambda: print("ready", flush=True)]
    Server(application, [f"tcp:{port}:interface=127.0.0.1"], ready_callable=ready[0]).run()


if __name__ == "__main__":
    if sys.argv[1] == "sdk":
        url, streams, chunks = sys.argv[2:]
        print(json.dumps(asyncio.run(read(url, int(streams), int(chunks)))))
    else:
        push(sys.argv[2])
