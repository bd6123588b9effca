"""Purchases whose answer was lost over HTTP."""

from fastapi import APIRouter

from leadflood.api.deps import ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.service.asking_again import ask_again
from leadflood.domains.spending.contracts import PurchaseView
from leadflood.domains.spending.permissions import SPENDING_WRITE

router = APIRouter(prefix="/v1/purchases", tags=["spending"], route_class=EdgeRoute)


@router.post("/{id}/repetitions", status_code=200, summary="Ask again for a lost answer")
@requires(SPENDING_WRITE)
async def repeat_purchase(purchase_id: ResourceId, unit: UnitOfWorkDep) -> PurchaseView:
    """Let the next enrichment ask the question of a lost call again. It may be charged twice.

    A purchase in doubt is written off; one that evidence has settled stays as it is. A second request changes nothing.
    """
    return await ask_again(unit.tx, unit.actor, purchase_id=purchase_id)
