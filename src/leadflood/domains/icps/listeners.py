"""Reactions to changes of leads, links and facts: scores follow in the same transaction."""

from collections.abc import Sequence
from typing import Any

from leadflood.domains.icps.service.rescoring import rescore, rescore_companies
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event


async def leads_changed(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Score leads that were created, changed, linked or enriched."""
    await rescore(tx, events[0].actor, lead_ids=sorted({event.subject_id for event in events}))


async def companies_changed(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Score the leads of companies whose facts changed."""
    await rescore_companies(tx, events[0].actor, company_ids=sorted({event.subject_id for event in events}))
