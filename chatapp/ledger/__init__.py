"""What was spent: charges, their lines, budgets and daily totals."""
