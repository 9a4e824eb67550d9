"""Every address there is, found from the resolver: who gets what, beside addresses.txt.

When an address comes, goes, or answers otherwise on purpose: ANEW=1 pytest tests/web/test_addresses.py
writes addresses.txt anew; read its difference before you commit it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from chatapp.accounts import links
from chatapp.accounts.models import Team, User
from chatapp.chat.models import Attachment, Project, Share
from chatapp.dashboard.models import Reconciliation
from chatapp.ledger.models import Budget, UnknownCounter
from chatapp.pricing.models import CounterPrice
from tests.chat.conftest import ask, prices  # noqa: F401 - a fixture
from tests.chat.test_posting import answered
from tests.ledger.conftest import exact

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]

GOLDEN = Path(__file__).with_name("addresses.txt")
CAST = ("nobody", "alice", "charlie", "admin")
TITLE = f"# GET as {', '.join(CAST)}; what stands in <> is alice's, or an object that exists\n"
GAP = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
# As SQL and markup, as a number, and as what is no text.
HOSTILE = ("' OR 1=1 -- <script>%_", "9" * 40, "\0")
NAMES = (
    *("after", "as", "at", "by", "cache", "conversation", "from", "group", "model", "o", "order"),
    *("p", "page", "prices", "project", "purpose", "q", "range", "region", "source", "status"),
    *("team", "tier", "to", "user"),
)
# Each page of its own: what is in the administration refuses what it does not know.
PAGES = ("chats/", "dashboard/", "search/", "sign-in/", "usage/")


def addresses(resolver: Any = None, before: str = "") -> Iterator[str]:
    """Each once; what is shadowed by an earlier one is that one."""
    for found in (resolver or get_resolver()).url_patterns:
        path = before + str(found.pattern)
        if isinstance(found, URLResolver):
            yield from addresses(found, path)
        elif isinstance(found, URLPattern):
            yield path.replace("^", "").replace("$", "")


@pytest.fixture
def world(prices: None, alice: Any, charlie: Any, admin: Any) -> dict[str, Any]:  # noqa: F811
    """One of everything, and what stands for each gap of an address that begins so."""
    with transaction.atomic():
        generation = answered(alice, ask("A question"))
    reply, charge = generation.message, generation.message.charge
    assert charge
    charge.capture(exact("claude-haiku-4-5"))
    chat = reply.conversation
    file = Attachment.objects.create(
        owner=alice, conversation=chat, name="a", size=1, media_type="text/plain"
    )
    file.write(0, b"a")
    own = Budget.objects.create(scope="person", person=alice, limit_pusd=10**12)
    compared = Reconciliation.objects.create(
        first="2026-01-01", last="2026-01-01", calls=0, ledger_pusd=0, vendor_pusd=0, billed_pusd=0
    )
    UnknownCounter.objects.create(name="n", charge=charge)
    CounterPrice.objects.create(
        counter="n", reason="r", unit_price_pusd=1, valid_from="2026-01-01T00:00Z"
    )
    Team.objects.create(name="Crew")
    invited = links.invitation(User.objects.invite("carol")).split("/")
    return {
        "c/": chat.id,
        "m/": reply.id,
        "s/": Share.objects.create(conversation=chat, upto=reply).token,
        "files/": file.id,
        "projects/": Project.objects.create(owner=alice, name="P").id,
        "invite/": invited[-3:-1],
        "password/": ["x", "y"],
        "setup/": "x",
        "usage/calls/": charge.uuid,
        "dashboard/calls/": charge.uuid,
        "dashboard/budgets/": own.pk,
        "usage/budgets/": own.pk,
        "dashboard/reconciliation/": compared.pk,
        "dashboard/tokens/": 1,
    }


def filled(address: str, world: dict[str, Any]) -> str:
    """The address of something that is there."""
    for begin, value in world.items():
        if address.startswith(begin):
            for part in value if isinstance(value, list) else [value]:
                address = GAP.sub(str(part), address, count=1)
            return f"/{address}"
    if found := re.match(r"admin/(accounts|auth|ledger|pricing)/(\w+)/", address):
        first = apps.get_model(*found.groups()).objects.first()
        return "/" + GAP.sub(str(first.pk if first else 1), address)
    return "/" + GAP.sub("ledger" if "app_label" in address else "1", address)


def browser(name: str) -> Client:
    client = Client(raise_request_exception=False)
    if name != "nobody":
        client.force_login(User.objects.get(username=name))
    return client


def test_everybody_gets_what_is_theirs(world: dict[str, Any]) -> None:
    browsers = {name: browser(name) for name in CAST}
    found = {}
    for address in addresses():
        codes = []
        for client in browsers.values():
            answer = client.get(filled(address, world))
            codes.append(answer.status_code)
            assert answer.status_code < 500
            assert answer["Cache-Control"].count("no-store"), address
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert answer["X-Frame-Options"] == "DENY"
            answer.close()
        found[f"/{address}"] = " ".join(map(str, codes))
    lines = [f"{codes}  {address}\n" for address, codes in sorted(found.items())]
    if os.environ.get("ANEW"):
        GOLDEN.write_text(TITLE + "".join(lines))
    assert TITLE + "".join(lines) == GOLDEN.read_text()


def test_nothing_is_posted_from_elsewhere(world: dict[str, Any]) -> None:
    """Without a form's token at no address, and from another origin not even with it."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="admin"))
    client.get("/account/")
    token = client.cookies["csrftoken"].value
    for address in addresses():
        plain = client.post(filled(address, world), b'{"text": "x"}', content_type="text/plain")
        assert plain.status_code == 403, address
    for origin in ("https://evil.example", "https://127.0.0.1:8000", "null"):
        elsewhere = {"Origin": origin, "X-CSRFToken": token}
        assert client.post("/theme/", headers=elsewhere).status_code == 403
    assert client.post("/theme/", headers={"X-CSRFToken": token}).status_code == 302


def test_what_is_someone_elses_answers_like_what_is_not_there(world: dict[str, Any]) -> None:
    """The same words, after as many questions to the database: not even a clock tells them apart."""
    client = browser("charlie")
    for address in addresses():
        if not address.startswith(("c/", "m/", "files/", "projects/", "usage/calls/")):
            continue
        if not GAP.search(address):
            continue
        answers = []
        for url in (filled(address, world), "/" + GAP.sub(str(uuid4()), address)):
            with CaptureQueriesContext(connections["default"]) as asked:
                answer = client.get(url)
            words = re.sub(r'nonce="[^"]+"|value="\w{64}"', "", answer.content.decode())
            answers.append((answer.status_code, words.replace(url, ""), len(asked)))
        assert answers[0] == answers[1], address


def test_no_parameter_breaks_a_page(world: dict[str, Any]) -> None:
    client = browser("admin")
    for address in addresses():
        if GAP.search(address) or not address.startswith(PAGES):
            continue
        for value in HOSTILE:
            answer = client.get(f"/{address}", dict.fromkeys(NAMES, value))
            assert answer.status_code < 500, (address, value)
            answer.close()


@pytest.mark.parametrize(
    "query",
    [
        *("user__password__startswith=m", "person__password__startswith=m", "o=password"),
        *("o=9.9.-9", "p=-1", "q=%00", "q=%27--", "pk__in=x", "id__exact=%00", "user__regex=("),
    ],
)
def test_the_administration_tells_no_more_by_its_filters(world: dict[str, Any], query: str) -> None:
    """400, or away to the list as it is; never a row more or less, which would tell a letter."""
    client = browser("admin")
    for page in ("accounts/user", "ledger/charge", "ledger/budget", "pricing/priceversion"):
        answer = client.get(f"/admin/{page}/?{query}")
        assert answer.status_code in (200, 302, 400), page
        if "__" in query and answer.status_code != 400:
            assert answer["Location"].endswith("?e=1"), page


@pytest.mark.parametrize("suffix", ["x.css", "x.css/", ";x.css", "%2fx.js", "..%2fx.png"])
def test_a_page_is_at_no_address_that_a_cache_would_keep(
    world: dict[str, Any], suffix: str
) -> None:
    client = browser("alice")
    for page in ("account/", "usage/", f"c/{world['c/']}/"):
        answer = client.get(f"/{page}{suffix}")
        assert answer.status_code == 404
        assert "no-store" in answer["Cache-Control"]
        assert "Cookie" in client.get(f"/{page}?__proto__[x]=1")["Vary"]
