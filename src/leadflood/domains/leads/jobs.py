"""Jobs of leads: large changes and their undo, and the purge of deleted leads."""

from typing import Any, TypeVar

from leadflood.domains.identity.service import members
from leadflood.domains.jobs import reassignment
from leadflood.domains.jobs.models import NoPayload, RunningJob
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.leads import store
from leadflood.domains.leads.events import (
    BULK_CHANGE,
    PURGE_DELETED,
    RELEASE_LEADS,
    UNDO_CHANGESET,
    ChangesetPayload,
    ReleaseLeads,
)
from leadflood.domains.leads.service import bulk, changesets
from leadflood.domains.leads.store import changesets as changeset_store
from leadflood.domains.leads.store import views as view_store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participants

Changeset = TypeVar("Changeset", bound=ChangesetPayload)

_BATCH = 1000
_MAX_SECONDS = 6 * 3600.0
"""Seconds for a large change: each of its chunks is committed, and an attempt continues where the last one ended."""


def definitions(database: Database, participants: Participants, *, retention_days: int) -> list[JobDefinition[Any]]:
    """The jobs of this domain. `database`: for concurrent transactions, and for purges."""

    async def purge(_context: JobContext[NoPayload]) -> None:
        async with database.system() as tx:
            await changeset_store.purge_expired(tx, days=retention_days)
            await view_store.purge_deleted(tx, days=retention_days)
        while True:
            async with database.system() as tx:
                purged = await store.purge(tx, days=retention_days, batch=_BATCH)
                await reassignment.delete_jobs_of(tx, subjects=purged)
            if len(purged) < _BATCH:
                break
        while True:
            async with database.system() as tx:
                if await changeset_store.purge_changes(tx, batch=_BATCH) < _BATCH:
                    return

    async def undo(context: JobContext[ChangesetPayload]) -> None:
        await _undo(context, database, participants)

    return [
        JobDefinition(PURGE_DELETED, purge),
        JobDefinition(BULK_CHANGE, _change, on_failed=_change_failed, timeout=_MAX_SECONDS),
        JobDefinition(RELEASE_LEADS, _release, on_failed=_release_failed, timeout=_MAX_SECONDS),
        JobDefinition(UNDO_CHANGESET, undo, on_failed=_undo_failed, timeout=_MAX_SECONDS),
    ]


async def _change(context: JobContext[Changeset]) -> None:
    more = True
    while more:
        async with context.transaction() as tx:
            more = await bulk.change_more(
                tx, context.actor, changeset_id=context.payload.changeset_id, trace=context.job.trace
            )


async def _release(context: JobContext[ReleaseLeads]) -> None:
    await _change(context)
    async with context.transaction() as tx:
        await members.finish_removal(tx, context.actor, user_id=context.payload.user_id)


async def _release_failed(tx: Transaction, job: RunningJob, payload: ReleaseLeads | None, error: str) -> None:
    """The database clears the remaining owners, without entries in the timelines."""
    await _change_failed(tx, job, payload, error)
    if payload is not None:
        await members.finish_removal(tx, Actor.system(job.workspace_id), user_id=payload.user_id)


async def _undo(context: JobContext[ChangesetPayload], database: Database, participants: Participants) -> None:
    changeset_id, trace = context.payload.changeset_id, context.job.trace
    await changesets.undo_in_parallel(database, context.job, participants, changeset_id=changeset_id, trace=trace)
    more = True
    while more:
        async with context.transaction() as tx:
            more = await changesets.undo_more(tx, context.actor, participants, changeset_id=changeset_id, trace=trace)


async def _change_failed(tx: Transaction, job: RunningJob, payload: ChangesetPayload | None, _error: str) -> None:
    """Handle a failed bulk change: the part that was written can be undone."""
    changeset_id = payload.changeset_id if payload else job.subject_id
    if changeset_id is not None:
        actor = Actor.system(job.workspace_id)
        await changesets.close_changeset(tx, actor, changeset_id=changeset_id)
        await bulk.record_end(tx, actor, changeset_id=changeset_id)


async def _undo_failed(tx: Transaction, job: RunningJob, payload: ChangesetPayload | None, _error: str) -> None:
    changeset_id = payload.changeset_id if payload else job.subject_id
    if changeset_id is not None:
        await changesets.give_up_undo(tx, Actor.system(job.workspace_id), changeset_id=changeset_id)
