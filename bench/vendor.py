"""A canned Messages API for measurements: streams of stamped 32-byte chunks, as cheap as can be.

`python bench/vendor.py` prints its address. A prompt says what it gets: "rate:50 chunks:500".
Every chunk holds `@` and the monotonic clock's seconds at which it left.
"""

import asyncio
import re
import time

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)
COUNTED = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 19\r\n\r\n"
    b'{"input_tokens":21}'
)
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
WISH = re.compile(rb"rate:(\d+) chunks:(\d+)")


def event(kind: bytes, rest: bytes = b"") -> bytes:
    text = b'event: %s\ndata: {"type":"%s"%s}\n\n' % (kind, kind, rest)
    return b"%x\r\n%s\r\n" % (len(text), text)


START = event(
    b"message_start",
    b',"message":{"id":"msg_bench","type":"message","role":"assistant","content":[],'
    b'"model":"claude-haiku-4-5-20251001","stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":21,"output_tokens":1}}',
) + event(b"content_block_start", b',"index":0,"content_block":{"type":"text","text":""}')
# A paragraph ends with every twentieth chunk.
PIECES = [
    event(
        b"content_block_delta",
        b',"index":0,"delta":{"type":"text_delta","text":"@%s %s"}' % (b"0" * 17, words),
    ).replace(b"0" * 17, b"%017.6f")
    for words in [b"and some words"] * 19 + [b"to its end\\n\\n"]
]
END = (
    event(b"content_block_stop", b',"index":0')
    + event(
        b"message_delta",
        b',"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":77}',
    )
    + event(b"message_stop")
    + b"0\r\n\r\n"
)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            found = LENGTH.search(head)
            body = await reader.readexactly(int(found[1]) if found else 0)
            if b"/count_tokens" in head:
                writer.write(COUNTED)
            else:
                await stream(writer, body)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def stream(writer: asyncio.StreamWriter, body: bytes) -> None:
    wish = WISH.search(body)
    rate, chunks = map(int, wish.groups()) if wish else (50, 5)
    loop = asyncio.get_running_loop()
    writer.write(HEAD + START)
    due = loop.time()
    for number in range(chunks):
        if writer.is_closing():
            return
        writer.write(PIECES[number % 20] % time.monotonic())
        due += 1 / rate
        await asyncio.sleep(due - loop.time())
    writer.write(END)
    await writer.drain()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
