"""Commands that check the ledger and rebuild its totals."""
