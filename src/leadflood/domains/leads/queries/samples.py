"""Which leads are sample leads."""

from typing import Final

from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.queries.search import count_leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

SAMPLE_SOURCE: Final = "demo"
"""Source of the sample leads, by which they are found again."""
SAMPLE_LEADS: Final = LeadFilter(sources=(SAMPLE_SOURCE,))


async def has_samples(tx: Transaction, actor: Actor) -> bool:
    """Whether there are sample leads."""
    return bool((await count_leads(tx, actor, filters=SAMPLE_LEADS, max_count=1)).value)
