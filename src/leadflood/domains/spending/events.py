"""Audit actions of spending."""

from enum import StrEnum
from typing import Final

BUDGET: Final = "budget"
PRICE: Final = "price"
PURCHASE: Final = "purchase"
SETTINGS: Final = "spending"


class SpendingAuditAction(StrEnum):
    """Audit actions of spending. The names are stable: users filter and alert by them."""

    BUDGET_CREATED = "spending.budget_created"
    BUDGET_CHANGED = "spending.budget_changed"
    PRICE_SET = "spending.price_set"
    PRICE_REMOVED = "spending.price_removed"
    SETTINGS_CHANGED = "spending.settings_changed"
    PURCHASE_REFUNDED = "spending.purchase_refunded"
    PURCHASE_WRITTEN_OFF = "spending.purchase_written_off"
