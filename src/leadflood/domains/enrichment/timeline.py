"""Entries in the timelines of the leads or companies that values are about."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from leadflood.domains.companies.timeline import TIMELINE
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.leads import service as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def record_in_timelines(
    tx: Transaction, actor: Actor, subject: SubjectKind, kind: str, entries: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Add entries of a kind to the timelines of subjects. Args: entries: by the ID of the lead or company."""
    if not entries:
        return
    if subject is SubjectKind.LEAD:
        await leads.add_each_to_timelines(tx, actor, kind=kind, entries=entries)
    else:
        await TIMELINE.record(tx, actor, kind=kind, entries=entries)
