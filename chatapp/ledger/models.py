"""What was spent: charges, their lines and adjustments, daily totals, and budgets."""

from chatapp.ledger.alerts import Alert
from chatapp.ledger.budgets import Budget, BudgetExceeded, Standing
from chatapp.ledger.charges import Charge
from chatapp.ledger.choices import Kind, Purpose, Source, State, Status
from chatapp.ledger.daily import DailyTotal
from chatapp.ledger.lines import Adjustment, ChargeLine
from chatapp.ledger.marks import BudgetMark
from chatapp.ledger.queries import Unpriced, business_day
from chatapp.ledger.requests import BudgetRequest
from chatapp.ledger.unknown import UnknownCounter

__all__ = [
    "Adjustment",
    "Alert",
    "Budget",
    "BudgetExceeded",
    "BudgetMark",
    "BudgetRequest",
    "Charge",
    "ChargeLine",
    "DailyTotal",
    "Kind",
    "Purpose",
    "Source",
    "Standing",
    "State",
    "Status",
    "UnknownCounter",
    "Unpriced",
    "business_day",
]
