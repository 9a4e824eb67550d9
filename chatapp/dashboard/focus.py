"""The ledger's lines in FOCUS 1.0, the FinOps Foundation's format of cost and usage, streamed as CSV.

Source: https://focus.finops.org/focus-specification/v1-0/
"""

import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import override

from chatapp.dashboard import calls
from chatapp.dashboard.export import FIRST, safe, slices, written
from chatapp.dashboard.filters import Filter
from chatapp.ledger.choices import TOKENS
from chatapp.ledger.models import Charge, ChargeLine, Kind, Source
from chatapp.pricing.money import exact

SLICE = 500
FULL_PRICE = 10_000  # basis points
# What no call to the API has: a resource, a zone, a discount that was committed to.
EMPTY = dict.fromkeys(
    (
        *("AvailabilityZone", "ChargeClass"),
        *(f"CommitmentDiscount{part}" for part in ("Category", "Id", "Name", "Status", "Type")),
        *("ResourceId", "ResourceName", "ResourceType"),
    )
)

Record = dict[str, Any]


async def csv_lines(asked: Filter) -> AsyncIterator[str]:
    """A header and a line for each kind of tokens of each call that has an amount.

    Costs are dollars to the last digit and add up to the page's; times are UTC.
    """
    yield written([COLUMNS])
    async for records in slices(asked, _slice):
        yield written([safe(record[name]) for name in COLUMNS] for record in records)


def _slice(asked: Filter, after: UUID | None) -> tuple[list[Record], UUID | None]:
    page = calls.page(asked, after=str(after or ""), size=SLICE if after else FIRST)
    lines: dict[int, list[ChargeLine]] = defaultdict(list)
    in_force = ChargeLine.objects.in_force().select_related("counter_price")
    for line in in_force.filter(charge__in=[call.pk for call in page.calls]):
        lines[line.charge_id].append(line)
    with override(None):  # programs read English, whoever asks
        return [_record(call, line) for call in page.calls for line in lines[call.pk]], page.next


def _record(call: Charge, line: ChargeLine) -> Record:
    hour = call.authorized_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    month = hour.replace(day=1, hour=0)
    days = monthrange(month.year, month.month)[1]
    maker = "Anthropic" if call.source == Source.ANTHROPIC else "Demonstration"
    counter = line.counter_price.counter if line.counter_price else ""
    what = counter or str(Kind(line.kind).label).lower()
    unit = "Tokens" if line.kind in TOKENS else "Searches" if not counter else "Units"
    cost, price = exact(line.amount_pusd), exact(_unit_price(line))
    region = call.inference_geo if call.inference_geo not in ("", "not_available") else None
    sku = f"{line.model}/{counter or line.kind}"
    return EMPTY | {
        "BilledCost": cost,
        "BillingAccountId": call.source,
        "BillingAccountName": maker,
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _time(month + timedelta(days=days)),
        "BillingPeriodStart": _time(month),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{line.model}, {what}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _time(hour + timedelta(hours=1)),
        "ChargePeriodStart": _time(hour),
        "ConsumedQuantity": f"{line.quantity}.0",
        "ConsumedUnit": unit,
        "ContractedCost": cost,
        "ContractedUnitPrice": price,
        "EffectiveCost": cost,
        "InvoiceIssuerName": maker,
        "ListCost": cost,
        "ListUnitPrice": price,
        "PricingCategory": "Standard",
        "PricingQuantity": f"{line.quantity}.0",
        "PricingUnit": unit,
        "ProviderName": maker,
        "PublisherName": maker,
        "RegionId": region,
        "RegionName": region,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Claude API",
        "SkuId": sku,
        "SkuPriceId": f"{sku}/{line.price_version_id or line.counter_price_id}/{price}",
        "SubAccountId": f"team-{call.team_id}" if call.team_id else None,
        "SubAccountName": call.team.name if call.team else None,
        "Tags": json.dumps({"person": call.user.username, "purpose": call.purpose}),
        "x_Call": str(call.uuid),
        "x_Certainty": call.status,
        "x_ServiceTier": call.service_tier,
        "x_TimeUtc": call.authorized_at.astimezone(UTC).isoformat(),
    }


def _unit_price(line: ChargeLine) -> int:
    """pico-USD of one token, with the batch's or the region's multiplier; exact by the ledger's law."""
    return line.unit_price_pusd * line.multiplier_bp // FULL_PRICE


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


COLUMNS = (
    *("AvailabilityZone", "BilledCost", "BillingAccountId", "BillingAccountName"),
    *("BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory"),
    *("ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd"),
    *("ChargePeriodStart", "CommitmentDiscountCategory", "CommitmentDiscountId"),
    *("CommitmentDiscountName", "CommitmentDiscountStatus", "CommitmentDiscountType"),
    *("ConsumedQuantity", "ConsumedUnit", "ContractedCost", "ContractedUnitPrice"),
    *("EffectiveCost", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory"),
    *("PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId"),
    *("RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory"),
    *("ServiceName", "SkuId", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags"),
    *("x_Call", "x_Certainty", "x_ServiceTier", "x_TimeUtc"),
)
