"""What one request to the API came to, ready to be settled in the ledger."""

from dataclasses import dataclass

from chatapp.ledger.models import Charge
from chatapp.pricing.usage import Metered


@dataclass(frozen=True, kw_only=True)
class Bill:
    """Captured when the request may have been billed, voided when it surely was not."""

    charge: Charge
    metered: Metered | None
    error: str = ""
    http_status: int | None = None
    request_id: str = ""
    message_id: str = ""
    first_token_ms: int | None = None
    duration_ms: int | None = None

    def settle(self) -> bool:
        """Book it, once; a second time changes nothing and says False."""
        if self.metered is None:
            return self.charge.void(
                error=self.error, http_status=self.http_status, request_id=self.request_id
            )
        return self.charge.capture(
            self.metered,
            request_id=self.request_id,
            message_id=self.message_id,
            error=self.error,
            first_token_ms=self.first_token_ms,
            duration_ms=self.duration_ms,
        )

    def prove(self) -> None:
        """Hand in what is known after somebody else has settled the charge."""
        if self.metered is not None:
            self.charge.adjust(self.metered)
