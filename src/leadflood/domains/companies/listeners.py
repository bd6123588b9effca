"""Reactions to leads that are created, changed or merged.

A lead that is created with a job is linked by the enrichment, so that creating it costs nothing more.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from leadflood.domains.companies import service
from leadflood.domains.companies.events import LINK_LEADS, LinkLeadsPayload
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.events import LeadCreatedData, LeadUpdatedData, MergeData
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event

_LINKING: Final = frozenset({"email", "website"})
"""Fields of leads that name the company."""


async def lead_created(tx: Transaction, events: Sequence[Event[LeadCreatedData]]) -> None:
    """Link leads that no job enriches, such as imported ones."""
    await _link_later(tx, events, [event.subject_id for event in events if event.data.job_id is None])


async def lead_updated(tx: Transaction, events: Sequence[Event[LeadUpdatedData]]) -> None:
    """Link a lead whose email or website changed: one directly, many by a job."""
    changed = [
        event.subject_id for event in events if event.data.fields is None or not _LINKING.isdisjoint(event.data.fields)
    ]
    if len(events) == 1 and events[0].data.changeset_id is None:
        await _link(tx, events, changed)
    else:
        await _link_later(tx, events, changed)


async def lead_merged(tx: Transaction, events: Sequence[Event[MergeData]]) -> None:
    """Link the survivor of a merge, or of its undo."""
    await _link(tx, events, [event.subject_id for event in events])


async def _link(tx: Transaction, events: Sequence[Event[Any]], lead_ids: Sequence[UUID]) -> None:
    if lead_ids:
        await service.relink(tx, events[0].actor, lead_ids=lead_ids)


async def _link_later(tx: Transaction, events: Sequence[Event[Any]], lead_ids: Sequence[UUID]) -> None:
    if lead_ids:
        job = NewJob(LINK_LEADS, LinkLeadsPayload(lead_ids=list(lead_ids)), trace=events[0].trace)
        await jobs.enqueue(tx, events[0].actor, jobs=[job])
