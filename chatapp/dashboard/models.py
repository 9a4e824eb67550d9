"""What the dashboard keeps: comparisons with the vendor's report, and tokens for programs."""

from typing import Any

from django.db import models

from chatapp.dashboard.differences import Finding
from chatapp.dashboard.tokens import ApiToken

__all__ = ["ApiToken", "Reconciliation"]


class Reconciliation(models.Model):
    """One comparison of whole UTC days. Money is pico-USD; `billed_pusd` is after discounts."""

    first = models.DateField()
    last = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    key_id = models.CharField(max_length=100, blank=True, help_text="our own API key, if known")
    calls = models.BigIntegerField()
    ledger_pusd = models.BigIntegerField()
    vendor_pusd = models.BigIntegerField()
    billed_pusd = models.BigIntegerField()
    findings: Any = models.JSONField(default=list)

    class Meta:
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    @property
    def found(self) -> list[Finding]:
        return [Finding(**finding) for finding in self.findings]

    @property
    def agrees(self) -> bool:
        """The two say the same; what other keys spent is no difference."""
        return all(finding.aside for finding in self.found)

    @property
    def difference_pusd(self) -> int:
        """The vendor's less the ledger's, at list prices."""
        return self.vendor_pusd - self.ledger_pusd
