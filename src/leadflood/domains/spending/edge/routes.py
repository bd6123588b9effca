"""Budgets, prices, purchases and what was spent, over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.spending import queries, service
from leadflood.domains.spending.contracts import (
    MAX_SOURCE,
    BudgetsShown,
    BudgetView,
    ChangeBudget,
    ChangeSpendingSettings,
    CreateBudget,
    PricesView,
    PriceView,
    PurchaseView,
    Refund,
    SetPrice,
    SpendBy,
    SpendingSettingsView,
    SpendView,
    TransferView,
)
from leadflood.domains.spending.models import PurchaseState
from leadflood.domains.spending.permissions import SPENDING_READ, SPENDING_WRITE
from leadflood.domains.spending.queries import spend

router = APIRouter(tags=["spending"], route_class=EdgeRoute)

_Source = Annotated[
    str, Path(max_length=MAX_SOURCE, pattern=r"^[a-z][a-z0-9_.]*$", examples=["hunter_finder"], description="Its name.")
]


@router.get("/v1/budgets", summary="List budgets")
@requires(SPENDING_READ)
async def list_budgets(
    pages: InPages,
    unit: UnitOfWorkDep,
    show: Annotated[BudgetsShown, Query(description="`closed`: those and the open ones.")] = BudgetsShown.OPEN,
) -> Listing[BudgetView]:
    """Budgets with what is reserved, in doubt, spent and left in their present period, oldest first."""
    return pages.answer(
        await queries.list_budgets(
            unit.tx,
            unit.actor,
            of_batches=show is BudgetsShown.BATCHES,
            closed=show is not BudgetsShown.OPEN,
            after=pages.after,
            limit=pages.limit,
        )
    )


@router.post("/v1/budgets", status_code=201, summary="Create a budget")
@requires(SPENDING_WRITE)
async def create_budget(command: CreateBudget, response: Response, unit: UnitOfWorkDep) -> BudgetView:
    """Create a budget. A purchase needs one of the scope `workspace`, and room in all that concern it."""
    budget = await service.create_budget(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/budgets/{budget.id}"
    response.headers["ETag"] = etag(budget.version)
    return budget


@router.get("/v1/budgets/{id}", summary="Retrieve a budget")
@requires(SPENDING_READ)
async def get_budget(budget_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> BudgetView:
    """Returns the budget. Its `ETag` is the value for `If-Match`."""
    budget = await queries.get_budget(unit.tx, unit.actor, budget_id=budget_id)
    response.headers["ETag"] = etag(budget.version)
    return budget


@router.patch("/v1/budgets/{id}", summary="Update a budget")
@requires(SPENDING_WRITE)
async def change_budget(
    budget_id: ResourceId, command: ChangeBudget, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> BudgetView:
    """Change the limit, or pause, open or close it. After the answer, no call is purchased against what it was.

    Requires `If-Match`.
    """
    budget = await service.change_budget(
        unit.tx, unit.actor, budget_id=budget_id, command=command, expected_version=version
    )
    response.headers["ETag"] = etag(budget.version)
    return budget


@router.get("/v1/prices", summary="List prices")
@requires(SPENDING_READ)
async def list_prices(unit: UnitOfWorkDep) -> PricesView:
    """The prices of sources. Nothing is purchased from a source without one."""
    return await queries.list_prices(unit.tx, unit.actor)


@router.put("/v1/prices/{source}", status_code=200, summary="Set a price")
@requires(SPENDING_WRITE)
async def set_price(source: _Source, command: SetPrice, unit: UnitOfWorkDep) -> PriceView:
    """Set the price of one unit of a source. A paused source is asked again."""
    return await service.set_price(unit.tx, unit.actor, source=source, command=command)


@router.delete("/v1/prices/{source}", status_code=204, summary="Remove a price")
@requires(SPENDING_WRITE)
async def remove_price(source: _Source, unit: UnitOfWorkDep) -> None:
    """Remove the price of a source: nothing is purchased from it any longer."""
    await service.remove_price(unit.tx, unit.actor, source=source)


@router.get("/v1/purchases", summary="List purchases")
@requires(SPENDING_READ)
async def list_purchases(
    pages: InPages,
    unit: UnitOfWorkDep,
    state: Annotated[PurchaseState | None, Query(description="Only those in this state.")] = None,
    source: Annotated[str | None, Query(max_length=MAX_SOURCE, description="Only those of this source.")] = None,
) -> Listing[PurchaseView]:
    """Calls that were purchased, newest first."""
    return pages.answer(
        await queries.list_purchases(
            unit.tx, unit.actor, state=state, source=source, after=pages.after, limit=pages.limit
        )
    )


@router.get("/v1/purchases/{id}", summary="Retrieve a purchase")
@requires(SPENDING_READ)
async def get_purchase(purchase_id: ResourceId, unit: UnitOfWorkDep) -> PurchaseView:
    """Returns the purchase."""
    return await queries.get_purchase(unit.tx, unit.actor, purchase_id=purchase_id)


@router.post("/v1/purchases/{id}/write-offs", status_code=200, summary="Write off a purchase")
@requires(SPENDING_WRITE)
async def write_off_purchase(purchase_id: ResourceId, unit: UnitOfWorkDep) -> PurchaseView:
    """Count the maximum of a purchase in doubt as spent. A refund can return it."""
    return await service.write_off_purchase(unit.tx, unit.actor, purchase_id=purchase_id)


@router.post("/v1/purchases/{id}/refunds", status_code=200, summary="Record a refund")
@requires(SPENDING_WRITE)
async def refund_purchase(purchase_id: ResourceId, command: Refund, unit: UnitOfWorkDep) -> PurchaseView:
    """Record a refund by the provider: the amount is available in the budgets again. It cannot exceed the charge."""
    return await service.refund(unit.tx, unit.actor, purchase_id=purchase_id, command=command)


@router.get("/v1/transfers", summary="List transfers")
@requires(SPENDING_READ)
async def list_transfers(
    pages: InPages,
    unit: UnitOfWorkDep,
    purchase: Annotated[UUID | None, Query(description="Only those of this purchase.")] = None,
) -> Listing[TransferView]:
    """The books, newest first. The entries of each transfer sum to zero."""
    return pages.answer(
        await spend.list_transfers(unit.tx, unit.actor, purchase_id=purchase, after=pages.after, limit=pages.limit)
    )


@router.get("/v1/spend", summary="Show spending")
@requires(SPENDING_READ)
async def show_spend(
    unit: UnitOfWorkDep,
    by: Annotated[SpendBy, Query(description="Grouping.")] = SpendBy.SOURCE,
    since: Annotated[date | None, Query(description="First day. Default: 30 days. At most 366 days are shown.")] = None,
    until: Annotated[date | None, Query(description="Last day. Default: today.")] = None,
) -> SpendView:
    """Spending of a period by source, day, batch or person. Days are those of the workspace's time zone."""
    return await spend.spend(unit.tx, unit.actor, by=by, since=since, until=until)


@router.get("/v1/spending-settings", summary="Show settings of spending")
@requires(SPENDING_READ)
async def get_spending_settings(unit: UnitOfWorkDep) -> SpendingSettingsView:
    """The currency of all amounts, and the time zone in which days and months end."""
    return await queries.get_settings(unit.tx, unit.actor)


@router.patch("/v1/spending-settings", summary="Update settings of spending")
@requires(SPENDING_WRITE)
async def change_spending_settings(command: ChangeSpendingSettings, unit: UnitOfWorkDep) -> SpendingSettingsView:
    """Change currency or time zone. The currency only before there are amounts."""
    return await service.change_settings(unit.tx, unit.actor, command=command)
