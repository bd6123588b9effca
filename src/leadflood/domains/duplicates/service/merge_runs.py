"""Merging all certain pairs, and undoing it: each pair in its own transaction, by a job."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import MergeLeads, MergeRunView
from leadflood.domains.duplicates.errors import MergeRunActive, MergeRunNotUndoable, NoCertainPairs
from leadflood.domains.duplicates.events import (
    MERGE_CERTAIN,
    MERGE_RUN,
    UNDO_MERGE_RUN,
    DuplicateAuditAction,
    MergeRunPayload,
)
from leadflood.domains.duplicates.models import MergeRunStatus
from leadflood.domains.duplicates.service import merging
from leadflood.domains.duplicates.store import merge_runs as store
from leadflood.domains.duplicates.store.merge_runs import MergeRun
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.errors import MatchCountExceeded
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError
from leadflood.kernel.ids import new_id
from leadflood.kernel.subjects import Participants


async def merge_certain(
    tx: Transaction, actor: Actor, *, expected_count: int, trace: Mapping[str, str]
) -> MergeRunView:
    """Start to merge all pairs of score 100: the older lead survives, and gets values that it lacks.

    Raises: MatchCountExceeded: more pairs are certain than expected. NoCertainPairs, MergeRunActive.
    """
    actor.require(LEADS_WRITE)
    count = (await queries.count_pairs(tx, actor)).certain
    if count.value > expected_count:
        raise MatchCountExceeded(expected_count)
    if not count.value:
        raise NoCertainPairs
    run_id = new_id()
    (job_id,) = await jobs.enqueue(
        tx, actor, jobs=[NewJob(MERGE_CERTAIN, MergeRunPayload(run_id=run_id), run_id, trace)]
    )
    try:
        async with tx.savepoint():
            await store.insert(tx, actor, run_id=run_id, job_id=job_id, total=count.value)
    except IntegrityError as error:
        raise MergeRunActive from error
    await _record(tx, actor, DuplicateAuditAction.RUN_REQUESTED, run_id, count.value)
    return await queries.get_merge_run(tx, actor, run_id=run_id)


async def undo_run(tx: Transaction, actor: Actor, *, run_id: UUID, trace: Mapping[str, str]) -> MergeRunView:
    """Start to undo the merges of a run, latest first. Merges that can't be undone stay.

    Raises: MergeRunNotFound, MergeRunNotUndoable, MergeRunActive.
    """
    actor.require(LEADS_WRITE)
    found = await queries.get_merge_run(tx, actor, run_id=run_id)
    (job_id,) = await jobs.enqueue(
        tx, actor, jobs=[NewJob(UNDO_MERGE_RUN, MergeRunPayload(run_id=run_id), run_id, trace)]
    )
    try:
        async with tx.savepoint():
            started = await store.start_undo(tx, actor.workspace_id, run_id, job_id=job_id)
    except IntegrityError as error:
        raise MergeRunActive from error
    if not started:
        raise MergeRunNotUndoable(found.status)
    await _record(tx, actor, DuplicateAuditAction.RUN_UNDO_REQUESTED, run_id, found.merged)
    return await queries.get_merge_run(tx, actor, run_id=run_id)


async def merge_more(
    tx: Transaction, *, participants: Participants, workspace_id: UUID, run_id: UUID
) -> MergeRun | None:
    """Merge the next pair of a run. None when it has none left, or was ended."""
    run = await store.lock(tx, workspace_id, run_id, MergeRunStatus.MERGING)
    pair = None if run is None else await store.next_pair(tx, run)
    if run is None or pair is None:
        return None
    command = MergeLeads(survivorId=pair.survivor_id, otherId=pair.other_id)
    merge_id = None
    try:
        async with tx.savepoint():
            merge_id = (await merging.merge(tx, _requester(run), participants, command=command)).id
    except AppError as error:
        if error.is_fault:
            raise
    await store.count_pair(tx, run, pair, merge_id=merge_id)
    return run


async def undo_more(
    tx: Transaction, *, participants: Participants, workspace_id: UUID, run_id: UUID, trace: Mapping[str, str]
) -> MergeRun | None:
    """Undo the next merge of a run. None when it has none left, or was ended."""
    run = await store.lock(tx, workspace_id, run_id, MergeRunStatus.UNDOING)
    merge_id = None if run is None else await store.next_merge(tx, run)
    if run is None or merge_id is None:
        return None
    undone = True
    try:
        async with tx.savepoint():
            await merging.undo_merge(tx, _requester(run), participants, merge_id=merge_id, trace=trace)
    except AppError as error:
        if error.is_fault:
            raise
        undone = False
    await store.count_undo(tx, run, merge_id, undone=undone)
    return run


def _requester(run: MergeRun) -> Actor:
    """The requester, with the permission that was checked when the run was requested."""
    by = Actor.requester(run.workspace_id, run.actor_kind, run.actor_id)
    return replace(by, permissions=frozenset({LEADS_WRITE}))


async def _record(tx: Transaction, actor: Actor, action: DuplicateAuditAction, run_id: UUID, count: int) -> None:
    await audit.record(tx, actor, action=action, subject_type=MERGE_RUN, subject_id=run_id, data={"count": count})
