"""Daily totals: what the dashboard and the budgets sum, kept in the capture's own transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from chatapp.ledger.choices import TOKENS, WAITING, Kind, Purpose, Source, Status

if TYPE_CHECKING:
    from chatapp.ledger.charges import Charge

# Other counters have no columns of their own: they are what the kinds leave of amount_pusd.
QUANTITY = {kind: f"{kind}_tokens" for kind in TOKENS} | {Kind.WEB_SEARCH: "web_searches"}
AMOUNT = {kind: f"{kind}_pusd" for kind in QUANTITY}
KEY = ("day", "user_id", "team_id", "model", "purpose", "source", "status")
SUMS = ("calls", "amount_pusd", "held_pusd", *QUANTITY.values(), *AMOUNT.values())


Key = tuple[Any, ...]  # the values of KEY
_gathering = ContextVar[dict[Key, Counter[str]] | None]("gathering", default=None)


class Counted(Protocol):
    """A line, whether just computed or stored."""

    @property
    def kind(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def amount_pusd(self) -> int: ...


class DailyTotalQuerySet(models.QuerySet["DailyTotal"]):
    def add(self, charge: "Charge", lines: Iterable[Counted], *, sign: int = 1) -> None:
        """Count a captured charge with the lines in force, or with sign -1 take it out again."""
        key = tuple(getattr(charge, name) for name in KEY)
        sums = {name: sign * amount for name, amount in counters(charge, lines).items() if amount}
        if (gathering := _gathering.get()) is None:
            self._raise(key, sums)
        else:
            gathering[key].update(sums)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Raise each row once, at the end: nobody waits for a long transaction's rows until then.

        Whoever waits then waits for the table, so that no two can wait for each other.
        """
        token = _gathering.set(defaultdict(Counter))
        try:
            yield
            gathering = _gathering.get()
        finally:
            _gathering.reset(token)
        if gathering and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE ledger_dailytotal IN SHARE ROW EXCLUSIVE MODE")
        for key, sums in (gathering or {}).items():
            self._raise(key, sums)

    def _raise(self, values: Key, sums: Mapping[str, int]) -> None:
        key = dict(zip(KEY, values, strict=True))
        row = self.filter(**key)
        raised = {name: F(name) + amount for name, amount in sums.items()}
        if row.update(**raised):
            return
        try:
            with transaction.atomic():
                self.create(**key, **sums)
        except IntegrityError:  # another transaction made the row meanwhile
            row.update(**raised)


def counters(charge: "Charge", lines: Iterable[Counted]) -> Counter[str]:
    """What one charge adds to its day: a call, its money, and the tokens of its lines."""
    sums = Counter(calls=1, amount_pusd=charge.amount_pusd or 0)
    if charge.status in WAITING:
        sums["held_pusd"] = charge.held_pusd
    for line in lines:
        if (kind := Kind(line.kind)) in QUANTITY:
            sums[QUANTITY[kind]] += line.quantity
            sums[AMOUNT[kind]] += line.amount_pusd
    return sums


class Totals(models.Model):
    """The columns that sums of captured charges have in common.

    Money is pico-USD. Tokens and searches are those of the lines in force: a call without lines
    (unpriced, unknown) counts none.
    """

    day = models.DateField()
    team = models.ForeignKey(
        "accounts.Team", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    model = models.CharField(max_length=100)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    source = models.CharField(max_length=10, choices=Source.choices)
    status = models.CharField(max_length=10, choices=Status.choices)

    calls = models.BigIntegerField(default=0)
    amount_pusd = models.BigIntegerField(
        default=0, help_text="0 stands beside calls whose status says unpriced or unknown"
    )
    held_pusd = models.BigIntegerField(
        default=0, help_text="the worst case of unpriced and unknown calls; budgets count it"
    )
    input_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    web_searches = models.BigIntegerField(default=0)
    input_pusd = models.BigIntegerField(default=0)
    cache_write_5m_pusd = models.BigIntegerField(default=0)
    cache_write_1h_pusd = models.BigIntegerField(default=0)
    cache_read_pusd = models.BigIntegerField(default=0)
    output_pusd = models.BigIntegerField(default=0)
    web_search_pusd = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class DailyTotal(Totals):
    """Sums of captured charges per day and dimension.

    `day` is the call's own business day, also for later adjustments.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects = DailyTotalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "day",
                "source",
                "user",
                Coalesce("team", 0),
                "model",
                "purpose",
                "status",
                name="one_total_per_day_and_dimension",
            )
        ]
        indexes = [
            models.Index(fields=["user", "day"], name="total_by_user"),
            # All that a budget of a team or of everyone sums, read from the index alone.
            models.Index(
                fields=["source", "day", "team", "amount_pusd", "held_pusd"], name="total_spent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.user_id} {self.model}"
