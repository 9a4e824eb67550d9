"""A reply from the question to its price, over the socket and the real wire."""

from typing import Any

from chatapp.chat.models import Chunk, Generation
from chatapp.ledger.models import Charge
from chatapp.web.database import db


async def test_a_reply_appears_and_is_paid_for(tab: Any, alice: Any, upstream: Any) -> None:
    page = await tab(alice)
    ack = await page.ask("Hello [[words:40 pace:5]]")
    done = await page.finish(ack["gen"])
    generation = await db(Generation.objects.select_related("message__charge").get, id=done["gen"])
    assert generation.state == done["state"] == "done"
    assert "".join(f["s"] for f in page.frames if f["type"] == "delta") in generation.message.text
    charge = generation.message.charge
    assert charge.status == "exact"
    assert not await db(Chunk.objects.exists)
    bill = upstream.bill[0]
    assert charge.usage == bill.usage
    assert await db(Charge.objects.count) == 1
