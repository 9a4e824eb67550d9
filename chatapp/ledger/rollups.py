"""Daily totals rolled up further, so that a long range is a few rows."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce

from chatapp.ledger.daily import Totals


class Grain(models.TextChoices):
    """Whose calls a row sums, and over how many days."""

    GROUP_DAY = "group-day"
    GROUP_WEEK = "group-week"
    GROUP_MONTH = "group-month"
    PERSON_DAY = "person-day"
    PERSON_WEEK = "person-week"
    PERSON_MONTH = "person-month"
    PERSON_YEAR = "person-year"
    WHOLE_WEEK = "whole-week"
    WHOLE_MONTH = "whole-month"
    ALL_DAY = "all-day"
    ALL_WEEK = "all-week"
    ALL_MONTH = "all-month"
    RANK_DAY = "rank-day"
    RANK_WEEK = "rank-week"
    RANK_MONTH = "rank-month"
    RANK_YEAR = "rank-year"
    TEAM_DAY = "team-day"
    TEAM_WEEK = "team-week"
    TEAM_MONTH = "team-month"
    USED_MONTH = "used-month"
    USED_YEAR = "used-year"


class Rollup(Totals):
    """Sums of daily totals. `day` is the first one of a week (a Monday), month or year.

    A group's row has no user, a person's row no model, a whole one all that a daily total has.
    The fewest rows: of all calls neither user nor team; of a rank (a person) or a team no model and
    no purpose, and a status that is "exact" with an amount and "unknown" without. What a person
    used is the same by model.
    Only the database writes here: triggers of ledger_dailytotal (rolling.py), in the transaction
    that changes a daily total and whoever does it, an older version of this program included.
    """

    grain = models.CharField(max_length=12, choices=Grain.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "grain",
                "day",
                "source",
                Coalesce("user", 0),
                Coalesce("team", 0),
                "model",
                "purpose",
                "status",
                name="one_rollup_per_grain_and_key",
            )
        ]
        indexes = [
            models.Index(fields=["user", "grain", "day"], name="rollup_by_user"),
            # Who used one model: people's rows of all others are passed over.
            models.Index(fields=["grain", "model", "day"], name="rollup_by_model"),
        ]

    def __str__(self) -> str:
        return f"{self.grain} {self.day} {self.user_id} {self.model}"
