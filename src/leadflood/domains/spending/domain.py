"""Declaration of the spending domain."""

from leadflood.domains.spending.events import SpendingAuditAction
from leadflood.domains.spending.participant import PARTICIPANT
from leadflood.domains.spending.permissions import SPENDING_READ, SPENDING_WRITE
from leadflood.kernel.domain import Domain
from leadflood.kernel.pages import AuditGroup, NavItem

_AUDIT = AuditGroup(
    "spending.",
    "Spending",
    "coins",
    {
        SpendingAuditAction.BUDGET_CREATED: "created a budget",
        SpendingAuditAction.BUDGET_CHANGED: "changed a budget",
        SpendingAuditAction.PRICE_SET: "set the price of {source}",
        SpendingAuditAction.PRICE_REMOVED: "removed the price of {source}",
        SpendingAuditAction.SETTINGS_CHANGED: "changed currency or time zone of budgets",
        SpendingAuditAction.PURCHASE_REFUNDED: "recorded a refund",
        SpendingAuditAction.PURCHASE_WRITTEN_OFF: "wrote off a purchase",
    },
    "/spending",
)

DOMAIN = Domain(
    name="spending",
    audit=(_AUDIT,),
    participants=(PARTICIPANT,),
    permissions=(SPENDING_READ, SPENDING_WRITE),
    routes=("leadflood.domains.spending.edge.routes",),
    pages=("leadflood.domains.spending.edge.pages", "leadflood.domains.spending.edge.purchase_pages"),
    templates="leadflood.domains.spending.edge",
    navigation=(
        NavItem(
            "Spending",
            "/spending",
            "coins",
            "data",
            order=66,
            permission=SPENDING_READ,
            words="budget price cost money credits transfers",
        ),
    ),
)
