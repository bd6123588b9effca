"""Asking again for a call whose answer was lost: a decision of a person, since it may be charged twice."""

from typing import Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.enrichment.events import EnrichmentAuditAction
from leadflood.domains.enrichment.store import doubts as store
from leadflood.domains.identity.service import audit
from leadflood.domains.spending import queries as books
from leadflood.domains.spending.contracts import PurchaseView
from leadflood.domains.spending.errors import PurchaseNotReady
from leadflood.domains.spending.events import PURCHASE
from leadflood.domains.spending.models import PurchaseState
from leadflood.domains.spending.permissions import SPENDING_WRITE
from leadflood.domains.spending.service import purchases
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_ASKED_AGAIN: Final = "Its answer was lost, and a user decided to ask again."


async def ask_again(tx: Transaction, actor: Actor, *, purchase_id: UUID) -> PurchaseView:
    """Let the question of a lost call be asked again, once, though it may be charged twice.

    A purchase in doubt is written off; one that evidence has settled stays as it is. Again, it changes nothing.

    Raises: PurchaseNotFound, PurchaseNotReady: its call has not ended.
    """
    actor.require(SPENDING_WRITE)
    found = await books.get_purchase(tx, actor, purchase_id=purchase_id)
    lost = await store.lock_lost(tx, actor.workspace_id, lookup_id=found.reference, purchase_id=purchase_id)
    purchase = await books.get_purchase(tx, actor, purchase_id=purchase_id)
    if purchase.state is PurchaseState.RESERVED:
        raise PurchaseNotReady("Its call has not ended. Try again in a few minutes.")
    if not lost:
        return purchase
    await purchases.write_off(tx, actor, [purchase_id], sentence=_ASKED_AGAIN)
    await store.ask_again(tx, actor.workspace_id, lookup_id=purchase.reference, sentence=_ASKED_AGAIN)
    data: dict[str, JsonValue] = {"source": purchase.source, "mostMicros": purchase.most_micros}
    await audit.record(
        tx,
        actor,
        action=EnrichmentAuditAction.PURCHASE_ASKED_AGAIN,
        subject_type=PURCHASE,
        subject_id=purchase_id,
        data=data,
    )
    return await books.get_purchase(tx, actor, purchase_id=purchase_id)
