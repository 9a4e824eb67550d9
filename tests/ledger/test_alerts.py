"""Alerts over the wire: a real SMTP server, a real HTTP receiver, and whom a webhook may not reach."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from asgiref.sync import sync_to_async
from django.utils import timezone

from chatapp.ledger import webhook
from chatapp.ledger.alerts import PAUSE, TRIES
from chatapp.ledger.models import Alert, Budget, Charge
from chatapp.ledger.watch import Watch, send_due
from tests.ledger.conftest import exact
from tests.servers import free_port

PRICE = 406 * 10**6  # pico-USD of exact()
SECRET = "whsec_" + base64.b64encode(b"between us alone").decode()


class Mailbox:
    """What an SMTP server was given; it turns the first `refusals` mails away."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refusals = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refusals:
            self.refusals -= 1
            return "451 try again later"
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 kept"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    yield box
    controller.stop()


class Receiver:
    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [200]
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, headers={"location": "/elsewhere"})


@pytest.fixture
async def receiver(settings: Any) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.hear)
    app.router.add_get("/{path:.*}", receiver.hear)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    settings.BUDGET_WEBHOOK_URL, settings.BUDGET_WEBHOOK_SECRET = receiver.url, SECRET
    settings.BUDGET_WEBHOOK_PRIVATE = True
    yield receiver
    await runner.cleanup()


def write(*people: Any) -> None:
    Alert.objects.write(
        words=lambda: (
            "chatapp: it has reached 80 %",
            "The budget of everyone has reached 80 %.",
        ),
        people=people,
        event="budget.mark",
        facts={"mark": 80},
    )


def signed(headers: dict[str, str], body: bytes) -> bool:
    """With the secret, as standardwebhooks.com has it."""
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(b"between us alone", told, hashlib.sha256)
    return headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


async def all_due() -> None:
    await Alert.objects.aupdate(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
async def test_a_mail_arrives_once(mailbox: Mailbox, alice: Any) -> None:
    await sync_to_async(write)(alice)
    for _ in range(3):
        await send_due()
        await all_due()
    ((to, mail),) = mailbox.mails
    assert to == [alice.email]
    assert mail["Subject"] == "chatapp: it has reached 80 %"
    assert "Hello Alice" in mail.get_payload()
    alert = await Alert.objects.aget()
    assert mail["Message-ID"] == f"<{alert.uuid}@chatapp>"
    assert (alert.tries, alert.trouble, alert.sent_at is not None) == (1, "", True)


@pytest.mark.django_db(transaction=True)
async def test_a_mail_that_is_turned_away_is_tried_again_later(
    mailbox: Mailbox, alice: Any
) -> None:
    await sync_to_async(write)(alice)
    mailbox.refusals = 1
    await send_due()
    await send_due()  # not due yet
    alert = await Alert.objects.aget()
    assert (alert.tries, alert.trouble, alert.sent_at) == (1, "SMTPDataError", None)
    assert timezone.now() < alert.due_at <= timezone.now() + PAUSE
    await all_due()
    await send_due()
    assert len(mailbox.mails) == 1


@pytest.mark.django_db(transaction=True)
async def test_a_webhook_is_signed_and_not_repeated(receiver: Receiver) -> None:
    await sync_to_async(write)()
    watch = Watch()
    for _ in range(2):
        await watch.look()
        await all_due()
    ((headers, body),) = receiver.requests
    alert = await Alert.objects.aget()
    facts = json.loads(body)
    assert facts == {
        "id": str(alert.uuid),
        "type": "budget.mark",
        "at": facts["at"],
        "mark": 80,
    }
    assert headers["webhook-id"] == str(alert.uuid)
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 60
    assert signed(headers, body)


@pytest.mark.django_db(transaction=True)
async def test_settled_calls_that_reach_marks_are_told_once_each_way(
    authorize: Callable[..., Charge],
    mailbox: Mailbox,
    receiver: Receiver,
    alice: Any,
    settings: Any,
) -> None:
    settings.DEMO = False
    budget = {"scope": Budget.Scope.PERSON, "person": alice, "limit_pusd": 10 * PRICE}
    await Budget.objects.acreate(**budget, hard=False)

    @sync_to_async
    def spend(calls: int) -> None:
        for _ in range(calls):
            assert authorize().capture(exact())

    watch = Watch()
    for calls, told in (4, []), (1, [50]), (3, [50, 80]), (2, [50, 80, 100]), (1, [50, 80, 100]):
        await spend(calls)
        for _ in range(2):
            await watch.look()
            await all_due()
        assert [json.loads(body)["mark"] for _, body in receiver.requests] == told
        assert [to for to, _ in mailbox.mails] == [[alice.email]] * len(told)
    assert all(signed(headers, body) for headers, body in receiver.requests)
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == len(told)
    subjects = [mail["Subject"] for _, mail in mailbox.mails]
    assert ["50 %" in subjects[0], "80 %" in subjects[1], "used up" in subjects[2]] == [True] * 3


@pytest.mark.django_db(transaction=True)
async def test_a_webhook_is_retried_and_given_up_in_the_end(receiver: Receiver) -> None:
    await sync_to_async(write)()
    receiver.statuses = [503]
    for _ in range(TRIES + 2):
        await send_due()
        await all_due()
    alert = await Alert.objects.aget()
    assert (alert.tries, alert.trouble, len(receiver.requests)) == (TRIES, "HTTP 503", TRIES)
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.statuses = [307]
    assert await webhook.post(receiver.url, "id", "{}") == "HTTP 307"
    assert len(receiver.requests) == 1


async def test_private_addresses_are_refused(receiver: Receiver, settings: Any) -> None:
    settings.BUDGET_WEBHOOK_PRIVATE = False
    port = receiver.url.split(":")[2]
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"):
        assert await webhook.post(f"http://{host}:{port}", "id", "{}"), host
    assert not receiver.requests


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"),
        *("224.0.0.1", "ff0e::1", "::"),
    ],
)
def test_no_way_around(address: str) -> None:
    with pytest.raises(webhook.Forbidden):
        webhook.check(address)


def test_public_addresses_may_be_reached() -> None:
    for address in ("1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"):
        webhook.check(address)


async def test_the_address_that_was_checked_is_the_one_that_is_reached(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public at first and then private: it is asked about once."""
    import socket

    settings.BUDGET_WEBHOOK_PRIVATE = False
    asked = []

    def rebinding(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        asked.append(host)
        address = "1.1.1.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    reached = []

    async def connect(self: Any, *args: Any, addr_infos: Any, **more: Any) -> Any:
        reached.extend(info[4][0] for info in addr_infos)
        raise OSError("not in a test")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr("aiohttp.connector.TCPConnector._wrap_create_connection", connect)
    await webhook.post(f"http://rebind.example:{receiver.url.split(':')[2]}", "id", "{}")
    assert (asked, reached) == (["rebind.example"], ["1.1.1.1"])
