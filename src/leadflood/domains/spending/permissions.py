"""Permissions of spending."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

SPENDING_READ: Final = Permission.declare("spending:read", Role.VIEWER, label="View budgets, prices and spending")
SPENDING_WRITE: Final = Permission.declare("spending:write", Role.ADMIN, label="Change budgets and prices, and refund")
