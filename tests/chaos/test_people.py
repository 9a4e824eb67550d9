"""F28 to F40: what people and their networks do."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from chatapp.chat.markdown import render
from tests.chaos.browser import Browser, Rejected, eventually
from tests.chaos.cluster import Cluster
from tests.chaos.conftest import question
from tests.chaos.proxy import Proxy

Tab = Callable[..., Any]
STREAM = "words:60+slow:30"
SHELL = "shell", "--no-imports", "-v0", "-c"


def entry(world: Cluster) -> int:
    """The port people come in by."""
    return world.nginx.port if world.nginx else world.nodes[0].port


def stored(world: Cluster, gen: str) -> tuple[str, str]:
    ((state, text),) = world.query(
        "SELECT g.state, m.text FROM chat_generation g"
        " JOIN chat_message m ON m.id = g.message_id WHERE g.id = %s",
        gen if world.postgres else gen.replace("-", ""),
    )
    return state, text


async def whole(world: Cluster, browser: Browser, gen: str, within: float = 60) -> None:
    """It ends well, and the browser shows exactly what is stored."""
    ended = await browser.finish(gen, within)
    state, text = stored(world, gen)
    assert (ended["state"], state) == ("done", "done")
    assert text == "".join(f"w{n} " for n in range(len(text.split())))
    reading = browser.reply(gen)
    assert render(text) in ended["html"]
    if reading.length == len(text):
        assert reading.html + render(reading.tail) == render(text)


@pytest.mark.row("F28", "tab closed in mid-reply")
async def test_closed_tab(world: Cluster, tab: Tab) -> None:
    first = await tab("person0")
    ack = await first.ask(question(STREAM))
    await first.words(ack["gen"])
    await first.close()
    await asyncio.sleep(1)
    second = await tab("person0")
    await second.watch(ack["conversation"], ack["gen"])
    await whole(world, second, ack["gen"])


@pytest.mark.row("F29", "20 reloads during a reply")
@pytest.mark.full
async def test_reloads(world: Cluster, tab: Tab) -> None:
    browser = await tab("person1")
    ack = await browser.ask(question("words:400+slow:40"))
    for _ in range(20):
        await browser.close()
        browser = await tab("person1")
        began = time.monotonic()
        await browser.watch(ack["conversation"], ack["gen"])
        reading = await browser.words(ack["gen"], 1)
        assert reading.ended or time.monotonic() - began < 1, "the text is there at once"
    await whole(world, browser, ack["gen"])


@pytest.mark.row("F30", "two tabs, two processes")
async def test_two_tabs(world: Cluster, tab: Tab) -> None:
    one = await tab("person2", port=world.nodes[0].port)
    other = await tab("person2", port=world.nodes[-1].port)
    ack = await one.ask(question(STREAM))
    await other.watch(ack["conversation"], ack["gen"])
    await asyncio.gather(whole(world, one, ack["gen"]), whole(world, other, ack["gen"]))
    assert other.reply(ack["gen"]).longest_pause < 1.5, "live in the other process too"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("reset", marks=pytest.mark.row("F31", "network cut: reset")),
        pytest.param(
            "blackhole",
            marks=[pytest.mark.full, pytest.mark.row("F31", "network silent for 30 s")],
        ),
    ],
)
async def test_network_lost(world: Cluster, fault: str) -> None:
    with Proxy(entry(world)) as network:
        browser = Browser(world, "person3")
        browser.url = browser.url.replace(str(entry(world)), str(network.port))
        await browser.open()
        ack = await browser.ask(question("words:100+slow:40"))
        await browser.words(ack["gen"])
        if fault == "reset":
            network.mode = "refuse"
            network.reset()
            await asyncio.sleep(2)
        else:
            network.mode = "blackhole"
            await asyncio.sleep(30)
        network.mode = "pass"
        await whole(world, browser, ack["gen"])
        await browser.close()


@pytest.mark.row("F33", "Stop")
async def test_stop(world: Cluster, tab: Tab) -> None:
    browser = await tab()
    ack = await browser.ask(question("words:500+slow:40"))
    await browser.words(ack["gen"])
    began = time.monotonic()
    await browser.stop(ack["gen"])
    await eventually(lambda: not world.vendor.open, 3)
    upstream = time.monotonic() - began
    ended = await browser.finish(ack["gen"], 5)
    assert ended["state"] == "stopped"
    assert upstream < 1.5, f"closed upstream after {upstream:.2f} s"
    await browser.stop(ack["gen"])  # F35: again, and after the end
    await browser.stop(str(uuid4()))
    await eventually(lambda: [e["code"] for e in browser.errors] == ["not_found"])


@pytest.mark.row("F34", "Stop in another process, with and without Redis")
@pytest.mark.parametrize("redis", [True, pytest.param(False, marks=pytest.mark.full)])
async def test_stop_elsewhere(cluster: Cluster, tab: Tab, redis: bool) -> None:
    one = await tab("person4", port=cluster.nodes[0].port)
    other = await tab("person4", port=cluster.nodes[1].port)
    ack = await one.ask(question("words:900+slow:40"))
    await one.words(ack["gen"])
    if not redis:
        assert cluster.redis
        cluster.redis.kill()
    began = time.monotonic()
    await other.watch(ack["conversation"], ack["gen"])
    await other.stop(ack["gen"])
    assert (await one.finish(ack["gen"], 10))["state"] == "stopped"
    assert time.monotonic() - began < (2 if redis else 5)


@pytest.mark.row("F35", "Stop of somebody else's reply")
async def test_stop_foreign(world: Cluster, tab: Tab) -> None:
    mine, foreign = await tab("person5"), await tab("person6")
    ack = await mine.ask(question(STREAM))
    await foreign.stop(ack["gen"])
    await eventually(lambda: foreign.errors)
    assert foreign.errors[0]["code"] == "not_found"
    await whole(world, mine, ack["gen"])


@pytest.mark.row("F36", "ten clicks, a replayed frame, a resend to another process")
async def test_one_key(world: Cluster, tab: Tab) -> None:
    one = await tab("person7", port=world.nodes[0].port)
    other = await tab("person7", port=world.nodes[-1].port)
    key, text = str(uuid4()), question(STREAM)
    acks = await asyncio.gather(
        one.ask(text, key=key, times=10), other.ask(text, key=key, times=10)
    )
    assert acks[0]["gen"] == acks[1]["gen"]
    await whole(world, one, acks[0]["gen"])
    assert sum(call.prompt == text for call in world.vendor.bill) == 1


@pytest.mark.row("F37", "the same key with another text")
async def test_key_reused(world: Cluster, tab: Tab) -> None:
    browser, key = await tab(), str(uuid4())
    ack = await browser.ask(question("words:3"), key=key)
    with pytest.raises(Rejected, match="key_reused"):
        await browser.ask(question("words:3"), key=key)
    await browser.finish(ack["gen"])


@pytest.mark.row("F38", "two tabs send at once in one conversation")
async def test_two_at_once(world: Cluster, tab: Tab) -> None:
    one = await tab("person8", port=world.nodes[0].port)
    other = await tab("person8", port=world.nodes[-1].port)
    ack = await one.ask(question("words:3"))
    await one.finish(ack["gen"])
    place = {"conversation": ack["conversation"], "parent": ack["reply"]}
    answers = await asyncio.gather(
        one.ask(question(STREAM), **place),
        other.ask(question(STREAM), **place),
        return_exceptions=True,
    )
    (refused,) = [answer for answer in answers if isinstance(answer, Rejected)]
    assert refused.code == "busy"
    (accepted,) = [answer for answer in answers if isinstance(answer, dict)]
    await (one if accepted is answers[0] else other).finish(accepted["gen"])


@pytest.mark.row("F39", "a budget race: 20 sends, room for three")
@pytest.mark.full
async def test_budget_race(world: Cluster, tab: Tab) -> None:
    browsers = [
        await tab("person9", port=world.nodes[n % len(world.nodes)].port) for n in range(20)
    ]
    directive = "words:900+slow:100"  # none ends, and lets its hold go, before all have asked
    ack = await browsers[0].ask(question(directive), max_tokens=1000)
    await browsers[0].stop(ack["gen"])
    await browsers[0].finish(ack["gen"])
    ((user, held),) = world.query(
        "SELECT c.user_id, c.held_pusd FROM ledger_charge c"
        " JOIN accounts_user u ON u.id = c.user_id WHERE u.username = 'person9'"
        " ORDER BY c.id DESC LIMIT 1"
    )
    # A budget counts the worst case of a call whose amount is not known.
    spent = world.query(
        "SELECT COALESCE(SUM(COALESCE(amount_pusd, held_pusd)), 0) FROM ledger_charge"
        " WHERE state = 'captured' AND user_id = %s",
        user,
    )[0][0]
    limit = spent + 3 * held
    budget = (
        "from chatapp.ledger.models import Budget;"
        f"Budget.objects.create(scope='person', person_id={user}, period='month', limit_pusd={limit})"
    )
    world.manage(*SHELL, budget)
    asked = [b.ask(question(directive), max_tokens=1000) for b in browsers]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    accepted = [(b, a) for b, a in zip(browsers, answers, strict=True) if isinstance(a, dict)]
    refused = [a.code for a in answers if isinstance(a, Rejected)]
    for browser, answer in accepted:
        await browser.stop(answer["gen"])
        await browser.finish(answer["gen"])
    world.manage(*SHELL, "from chatapp.ledger.models import Budget; Budget.objects.all().delete()")
    assert len(accepted) == 3
    assert refused == ["budget_exceeded"] * 17


@pytest.mark.row("F40", "a price changed in mid-reply")
@pytest.mark.full
async def test_price_changed(world: Cluster, tab: Tab) -> None:
    browser = await tab()
    ack = await browser.ask(question("words:80+slow:80"))
    await browser.words(ack["gen"])
    world.manage(
        *SHELL,
        "from django.utils import timezone\n"
        "from chatapp.pricing.models import PriceTier, PriceVersion\n"
        "old = PriceVersion.objects.filter(model_id='claude-haiku-4-5').latest('valid_from')\n"
        "new = PriceVersion.objects.create(model_id=old.model_id, valid_from=timezone.now(),"
        " web_search_pusd=old.web_search_pusd, batch_bp=old.batch_bp, geo_us_bp=old.geo_us_bp,"
        " reason='chaos')\n"
        "PriceTier.objects.create(version=new, input=9000000, cache_write_5m=11250000,"
        " cache_write_1h=18000000, cache_read=900000, output=45000000)\n",
    )
    await browser.finish(ack["gen"])  # at the old price, as the audit sees
    undo = (
        "from django.utils import timezone\n"
        "from chatapp.pricing.models import Edition, PriceVersion\n"
        "PriceVersion.objects.filter(reason='chaos').update(cancelled_at=timezone.now())\n"
        "Edition.renew()\n"
    )
    world.manage(*SHELL, undo)


@pytest.mark.row("F70", "a person deactivated in mid-reply")
@pytest.mark.full
async def test_deactivated(world: Cluster, tab: Tab) -> None:
    browser = await tab("person23")
    ack = await browser.ask(question("words:600+slow:50"))
    await browser.words(ack["gen"])
    change = "UPDATE accounts_user SET is_active = %s WHERE username = 'person23'"
    world.query(change, False)
    await eventually(lambda: browser.closed and browser.closed[-1] == 4403, 20)
    await eventually(lambda: stored(world, ack["gen"])[0] == "stopped", 10)
    world.query(change, True)
