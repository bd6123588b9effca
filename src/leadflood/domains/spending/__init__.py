"""Spending: budgets, prices, and the books of what was purchased from providers."""
