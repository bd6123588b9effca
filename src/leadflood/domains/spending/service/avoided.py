"""Calls that were not made because their answers could change nothing. Nothing is reserved or spent for them."""

from collections.abc import Sequence

from leadflood.domains.spending.models import AvoidedCall
from leadflood.domains.spending.queries import prices_of
from leadflood.domains.spending.store import avoided as store
from leadflood.domains.spending.store.avoided import PricedCall
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction


async def record(tx: Transaction, actor: Actor, calls: Sequence[AvoidedCall]) -> list[tuple[int, str] | None]:
    """Record calls that were not made, and return what each would have cost at most, with the currency.

    None for a source without a price, from which nothing is purchased. A call about the same subject counts once in the
    time for which its answer would have been kept.
    """
    if not calls:
        return []
    prices = await prices_of(tx, actor, sources=[call.source for call in calls])
    now = utc_now()
    counted = [
        PricedCall(call, prices[call.source].micros * call.units, now + call.kept_for)
        for call in calls
        if call.source in prices
    ]
    if counted:
        await store.insert(tx, actor.workspace_id, counted)
    return [
        (prices[call.source].micros * call.units, prices[call.source].currency) if call.source in prices else None
        for call in calls
    ]
