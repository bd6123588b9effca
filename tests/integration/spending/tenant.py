"""Spending for the tests of tenants."""

from collections.abc import Mapping
from uuid import UUID

from leadflood.domains.spending import service
from leadflood.domains.spending.contracts import ChangeSpendingSettings, CreateBudget, SetPrice
from leadflood.domains.spending.models import AvoidedCall, Order, Period, Scope
from leadflood.domains.spending.service import avoided, purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id

APPEND_ONLY = ("transfers", "transfer_entries")
WITHOUT_PERSONAL_DATA = {
    "spending_settings": "a currency and a time zone",
    "source_prices": "numbers by the name of a source",
    "budgets": "numbers by the name of a source or the ID of a batch",
    "budget_windows": "sums of money; a lead is an ID, without anything about it",
    "transfers": "amounts by purchase",
    "transfer_entries": "amounts by transfer",
}


async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """Set a price and a budget, leave a purchase in doubt, and record a call that was not made."""
    async with database.transaction(actor.workspace_id) as tx:
        await service.change_settings(
            tx, actor, command=ChangeSpendingSettings.model_validate({"timeZone": "Europe/Berlin"})
        )
        await service.set_price(tx, actor, source="provider", command=SetPrice.model_validate({"priceMicros": 25_000}))
        command = CreateBudget.model_validate(
            {"scope": Scope.WORKSPACE, "period": Period.MONTH, "limitMicros": 5_000_000}
        )
        budget = await service.create_budget(tx, actor, command=command)
        order = Order(new_id(), new_id(), "provider", 1, ids["leads"])
        await purchases.reserve(tx, actor, [order])
        await purchases.hold(tx, actor, [order.id], sentence="The answer was lost.")
        await avoided.record(tx, actor, [AvoidedCall("provider", 1, ids["leads"], None, "It could change no tier.")])
    return {"budgets": budget.id, "purchases": order.id}
