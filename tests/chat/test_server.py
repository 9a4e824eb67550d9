"""The real server on a real socket: killed in mid-reply, drained in mid-reply."""

import asyncio
import json
import signal
import urllib.request
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests import servers

SESSION = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.get(username="alice"))
print(client.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def brief(upstream_url: str) -> Iterator[servers.Server]:
    """A server whose leases are short, so that a dead one is found out soon."""
    vendor = {"ANTHROPIC_BASE_URL": upstream_url, "ANTHROPIC_API_KEY": "test"}
    with servers.chatapp(LEASE_SECONDS="6", **vendor) as server:
        yield server


@pytest.fixture(scope="module")
def session(brief: servers.Server) -> str:
    return brief.manage("shell", "--no-imports", "-v0", "-c", SESSION).strip()


@asynccontextmanager
async def tab(server: servers.Server, session: str) -> Any:
    url = server.url.replace("http", "ws") + "/ws/chat/"
    headers = {"Cookie": f"sessionid={session}", "Origin": server.url}
    async with connect(url, additional_headers=headers, max_size=None) as socket:
        yield socket


async def until(socket: ClientConnection, *types: str) -> Any:
    async with asyncio.timeout(60):
        while (frame := json.loads(await socket.recv()))["type"] not in types:
            pass
    return frame


async def send(socket: ClientConnection, text: str) -> Any:
    frame = {"type": "send", "key": str(uuid4()), "conversation": None, "parent": None}
    await socket.send(json.dumps(frame | {"text": text}))
    return await until(socket, "ack")


async def saved(server: servers.Server) -> None:
    async with asyncio.timeout(60):
        while not server.query("SELECT 1 FROM chat_chunk"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def bill(upstream_url: str, prompt: str) -> list[Any]:
    with urllib.request.urlopen(f"{upstream_url}/_bill") as answer:
        found = json.load(answer)
    calls = found["calls"] if isinstance(found, dict) else found
    return [call for call in calls if call["prompt"] == prompt]


async def test_killed_in_mid_reply_it_is_settled_once_by_the_next(
    brief: servers.Server, session: str, upstream_url: str
) -> None:
    prompt = "Kill [[slow:40+words:300]]"
    async with tab(brief, session) as socket:
        ack = await send(socket, prompt)
        await saved(brief)
        brief.kill()
    brief.start()
    async with tab(brief, session) as socket:
        await socket.send(json.dumps({"type": "watch", "conversation": ack["conversation"]}))
        done = await until(socket, "done")
    assert (done["gen"], done["state"]) == (ack["gen"], "interrupted")
    ((text, state, status, usage),) = brief.query(
        "SELECT m.text, c.state, c.status, c.usage FROM chat_message m"
        " JOIN ledger_charge c ON c.id = m.charge_id"
        " JOIN chat_generation g ON g.message_id = m.id WHERE g.error = 'interrupted'"
    )
    (call,) = bill(upstream_url, prompt)
    assert text
    assert call["text"].startswith(text)
    assert (state, status) == ("captured", "estimated")
    usage = usage if isinstance(usage, dict) else json.loads(usage)
    assert usage["input_tokens"] == call["usage"]["input_tokens"]
    assert not brief.query("SELECT 1 FROM chat_chunk")


async def test_a_drained_server_lets_the_reply_end(
    brief: servers.Server, session: str, upstream_url: str
) -> None:
    prompt = "Drain [[slow:40+words:150]]"
    async with tab(brief, session) as socket:
        ack = await send(socket, prompt)
        await until(socket, "delta", "snapshot")
        stopping = asyncio.create_task(asyncio.to_thread(brief.stop, signal.SIGTERM))
        done = await until(socket, "done")
        assert (done["gen"], done["state"]) == (ack["gen"], "done")
        assert await stopping == 0
        await socket.wait_closed()
    assert socket.close_code == 1012
    (call,) = bill(upstream_url, prompt)
    rows = brief.query(
        "SELECT tokens_out FROM ledger_charge WHERE request_id = %s", call["request_id"]
    )
    assert rows == [(call["usage"]["output_tokens"],)]
    brief.start()


async def test_strangers_are_turned_away_in_silence(brief: servers.Server, session: str) -> None:
    url = brief.url.replace("http", "ws")
    cookie = {"Cookie": f"sessionid={session}"}
    refused = [
        ("/ws/chat/", cookie | {"Origin": "http://evil.example"}),
        ("/ws/chat/", cookie),
        ("/ws/else/", cookie | {"Origin": brief.url}),
    ]
    for path, headers in refused:
        with pytest.raises(InvalidStatus, match="403"):
            await connect(url + path, additional_headers=headers)
    async with connect(url + "/ws/chat/", additional_headers={"Origin": brief.url}) as socket:
        await socket.wait_closed()
    assert socket.close_code == 4401
    assert "Traceback" not in brief.log.read_text()
