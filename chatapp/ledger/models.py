"""What was spent: charges, their lines and adjustments, daily totals, and budgets."""

from chatapp.ledger.budgets import Budget, BudgetExceeded, Standing
from chatapp.ledger.charges import Charge
from chatapp.ledger.choices import Kind, Purpose, Source, State, Status
from chatapp.ledger.daily import DailyTotal
from chatapp.ledger.lines import Adjustment, ChargeLine
from chatapp.ledger.queries import Unpriced, business_day

__all__ = [
    "Adjustment",
    "Budget",
    "BudgetExceeded",
    "Charge",
    "ChargeLine",
    "DailyTotal",
    "Kind",
    "Purpose",
    "Source",
    "Standing",
    "State",
    "Status",
    "Unpriced",
    "business_day",
]
