"""Verbs on changesets: open, fill, close, undo.

A caller that writes many leads opens a changeset, writes leads and images in the same transactions (see
`store.changesets`), counts them, and closes it. Then it can be undone once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, RunningJob
from leadflood.domains.jobs.parallel_chunks import write_in_parallel
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.errors import ChangesetClosed, ChangesetNotFound, ChangesetNotUndoable
from leadflood.domains.leads.events import (
    CHANGESET,
    CHANGESET_UNDONE,
    LEAD,
    UNDO_CHANGESET,
    ChangesetPayload,
    ChangesetUndoneData,
    LeadAuditAction,
)
from leadflood.domains.leads.extensions import CHANGESET_SUBJECTS
from leadflood.domains.leads.models import ChangesetKind, ChangesetStatus
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.changesets import get_changeset
from leadflood.domains.leads.store import changesets as store
from leadflood.domains.leads.store import undo
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.changesets import MAX_DIRECT, StoredChange, UndoChunk, UndoStep
from leadflood.kernel.db import planner
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event
from leadflood.kernel.subjects import Participants

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_ALL: Final = UndoChunk(UUID(int=0), UUID(int=2**128 - 1), changes=MAX_DIRECT)


async def open_changeset(
    tx: Transaction,
    actor: Actor,
    *,
    kind: ChangesetKind,
    label: str,
    wanted: int = 0,
    request: Mapping[str, Any] = _NOTHING,
    subject: str = LEAD,
) -> UUID:
    """Open a new changeset, which cannot be undone before it is closed. Returns its ID.

    Args: label: what people see, such as a file's name. wanted: how many subjects it will go through, if that is known.
        request: the request as small JSON, for the writer of the changeset. subject: the kind of subjects that it
        changes, of a `ChangesetSubject`.
    """
    return await store.insert_changeset(
        tx, actor, kind=kind, subject=subject, label=label, wanted=wanted, request=request
    )


async def record_changes(tx: Transaction, actor: Actor, *, changeset_id: UUID, changes: Sequence[StoredChange]) -> None:
    """Store changes of subjects other than leads, and count them: one for each subject of the changeset.

    Raises: ChangesetClosed. IntegrityError: the changeset has one of the subjects already.
    """
    await store.record_changes(tx, actor.workspace_id, changeset_id, changes)
    counts = Counter(item.change for item in changes)
    await add_counts(tx, actor, changeset_id=changeset_id, done=len(changes), **counts)


async def changes_in(tx: Transaction, actor: Actor, *, changeset_id: UUID) -> list[StoredChange]:
    """The stored changes of a small changeset, in the order of their subjects."""
    return await store.changes_of(tx, actor.workspace_id, changeset_id, _ALL)


async def changes_of(tx: Transaction, step: UndoStep) -> list[StoredChange]:
    """The stored changes of a chunk that is undone, in the order of their subjects."""
    return await store.changes_of(tx, step.actor.workspace_id, step.changeset_id, step.chunk)


async def record_created(tx: Transaction, actor: Actor, *, changeset_id: UUID, lead_ids: Sequence[UUID]) -> int:
    """Record that the changeset created these leads, which already exist, and count them.

    Returns how many. Raises: ChangesetClosed. IntegrityError: the changeset has one of them
    already.
    """
    recorded = await store.record_created(tx, actor.workspace_id, changeset_id, lead_ids)
    await add_counts(tx, actor, changeset_id=changeset_id, done=recorded, created=recorded)
    return recorded


async def add_counts(tx: Transaction, actor: Actor, *, changeset_id: UUID, **counts: int) -> None:
    """Add to the counts of an open changeset: `done`, `created`, `updated`, `deleted`, `restored`.

    Call it in each transaction that writes changes, after them. Raises: ChangesetClosed.
    """
    if not await store.advance(tx, actor.workspace_id, changeset_id, counts):
        raise ChangesetClosed


async def attach_job(tx: Transaction, actor: Actor, *, changeset_id: UUID, job_id: UUID) -> None:
    """Record the job that writes a changeset, which is new."""
    await store.set_job(tx, actor.workspace_id, changeset_id, job_id)


async def close_changeset(tx: Transaction, actor: Actor, *, changeset_id: UUID) -> None:
    """Close a changeset: it is `applied` and can be undone. Idempotent."""
    open_, applied = ChangesetStatus.OPEN, ChangesetStatus.APPLIED
    _ = await store.transition(tx, actor.workspace_id, changeset_id, expected=open_, status=applied)


async def undo_changeset(
    tx: Transaction, actor: Actor, participants: Participants, *, changeset_id: UUID, trace: Mapping[str, str]
) -> ChangesetView:
    """Undo a changeset, except values that were edited since. Directly if it is small, otherwise by a job.

    Idempotent. An undo whose job failed is resumed.

    Raises: ChangesetNotFound, ChangesetNotUndoable: it is still being written, or more than leads went into it.
        Unavailable. MissingPermission: also of what its subject asks, such as `companies:write`.
    """
    actor.require(LEADS_WRITE)
    changeset = await get_changeset(tx, actor, changeset_id=changeset_id)
    if changeset.kind is ChangesetKind.MERGE:
        raise ChangesetNotUndoable("This is a merge. Undo the merge instead.")
    undone, began = await begin_undo(tx, actor, participants, changeset_id=changeset_id, trace=trace)
    if began:
        count_ = undone.reverted if undone.job_id is None else changed_leads(undone)
        await record(tx, actor, LeadAuditAction.UNDONE, undone, count=count_)
    return undone


async def begin_undo(
    tx: Transaction, actor: Actor, participants: Participants, *, changeset_id: UUID, trace: Mapping[str, str]
) -> tuple[ChangesetView, bool]:
    """Like `undo_changeset`, for verbs that undo more than the changeset. Also returns whether the undo began now.

    Raises: ChangesetNotFound, ChangesetNotUndoable, Unavailable. MissingPermission: of the changeset's subject.
    """
    changeset = await store.lock_changeset(tx, actor.workspace_id, changeset_id)
    if changeset is None or changeset.forgotten_at is not None:
        raise ChangesetNotFound
    for permission in await CHANGESET_SUBJECTS[changeset.subject_kind].permissions(tx, actor, changeset_id):
        actor.require(permission)
    if changeset.status == ChangesetStatus.OPEN:
        raise ChangesetNotUndoable("It is still running. Wait until it finishes, or cancel its job, then undo it.")
    if changeset.created + changeset.updated + changeset.deleted + changeset.restored == 0:
        raise ChangesetNotUndoable("It made no changes to undo.")
    began = await undo.begin(tx, actor.workspace_id, changeset_id, kind=actor.kind, actor_id=actor.id)
    if began:
        changes = changeset.created + changeset.updated + changeset.deleted + changeset.restored
        if changes > CHANGESET_SUBJECTS[changeset.subject_kind].chunk:
            job = NewJob(UNDO_CHANGESET, ChangesetPayload(changeset_id=changeset_id), changeset_id, trace)
            (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
            await store.set_job(tx, actor.workspace_id, changeset_id, job_id)
        else:
            while await undo_more(tx, actor, participants, changeset_id=changeset_id, trace=trace):
                pass
    return await get_changeset(tx, actor, changeset_id=changeset_id), began


async def undo_more(
    tx: Transaction,
    actor: Actor,
    participants: Participants,
    *,
    changeset_id: UUID,
    trace: Mapping[str, str],
    batch: int | None = None,
) -> bool:
    """Undo the next changes of a changeset. Returns whether there may be more.

    Raises: Unavailable: an address was taken concurrently; nothing was undone by this call.
    """
    changeset = await store.lock_changeset(tx, actor.workspace_id, changeset_id)
    if changeset is None or changeset.status != ChangesetStatus.UNDOING:
        return False
    undoing = UndoWork(actor, participants, changeset, trace, batch)
    chunk = await undoing.find(tx, undo.position(changeset))
    if chunk is not None:
        await undoing.record(tx, chunk, await undoing.write(tx, chunk))
    if chunk is None or chunk.changes < undoing.batch:
        expected, undone = ChangesetStatus.UNDOING, ChangesetStatus.UNDONE
        expect_changed(await store.transition(tx, actor.workspace_id, changeset_id, expected=expected, status=undone))
        by = Actor.requester(actor.workspace_id, ActorKind(changeset.undone_by_kind), changeset.undone_by)
        await publish(tx, CHANGESET_UNDONE, [Event(changeset_id, _undone(changeset), by, trace)])
        if changeset.job_id is not None:
            ended = await get_changeset(tx, actor, changeset_id=changeset_id)
            await record(tx, by, LeadAuditAction.UNDO_FINISHED, ended, count=ended.reverted)
        return False
    return True


def changed_leads(changeset: ChangesetView) -> int:
    """Number of leads that a changeset changed."""
    return changeset.created + changeset.updated + changeset.deleted + changeset.restored


async def record(
    tx: Transaction, actor: Actor, action: LeadAuditAction, changeset: ChangesetView, *, count: int
) -> None:
    """Record a changeset or its undo in the audit log. `count`: of leads, as far as known."""
    data: dict[str, JsonValue] = {"count": count, "label": changeset.label}
    if action not in (LeadAuditAction.UNDONE, LeadAuditAction.UNDO_FINISHED):
        data["changesetId"] = str(changeset.id)
    if changeset.job_id is not None:
        data["jobId"] = str(changeset.job_id)
    await audit.record(tx, actor, action=action, subject_type=CHANGESET, subject_id=changeset.id, data=data)


def _undone(changeset: Row) -> ChangesetUndoneData:
    import_id = changeset.request.get("importId")
    kind = ChangesetKind(changeset.kind)
    return ChangesetUndoneData(kind=kind, import_id=UUID(import_id) if import_id is not None else None)


class UndoWork:
    """Undoes a changeset by `jobs.parallel_chunks`: the changes of a chunk with all that belongs to them."""

    def __init__(
        self,
        actor: Actor,
        participants: Participants,
        changeset: Row,
        trace: Mapping[str, str],
        batch: int | None = None,
    ) -> None:
        """Args: changeset: as found, with the undoing actor. batch: changes per chunk; None: as its subject says."""
        self._actor = actor
        self._participants = participants
        self._changeset = changeset
        self._trace = trace
        self.batch = batch or CHANGESET_SUBJECTS[changeset.subject_kind].chunk

    async def position(self, tx: Transaction) -> UUID | None:
        """The lead of the last undone change."""
        found = await store.lock_changeset(tx, self._changeset.workspace_id, self._changeset.id)
        return undo.position(found) if found is not None and found.status == ChangesetStatus.UNDOING else None

    async def find(self, tx: Transaction, after: UUID) -> UndoChunk | None:
        """The next changes."""
        await planner.apply(tx, planner.BY_KEY)
        return await undo.find_chunk(tx, self._changeset, after, batch=self.batch)

    async def write(self, tx: Transaction, chunk: UndoChunk) -> undo.UndoCounts:
        """Revert the changes as their kind of subject says. Raises: Unavailable: nothing was undone by this call."""
        changeset = self._changeset
        by = Actor.requester(changeset.workspace_id, ActorKind(changeset.undone_by_kind), changeset.undone_by)
        step = UndoStep(self._actor, by, self._participants, changeset.id, chunk, self._trace)
        undone = await CHANGESET_SUBJECTS[changeset.subject_kind].undo(tx, step)
        if undone.kept:
            await undo.report_kept(tx, changeset.workspace_id, changeset.id, undone.kept)
        return undo.UndoCounts(undone.reverted, sum(map(len, undone.kept.values())), len(undone.kept))

    async def record(self, tx: Transaction, chunk: UndoChunk, outcome: undo.UndoCounts) -> bool:
        """Count the chunk, if the changeset is still being undone and all earlier chunks are counted."""
        return await undo.record_chunk(tx, self._changeset, chunk, outcome)


async def undo_in_parallel(
    database: Database,
    job: RunningJob,
    participants: Participants,
    *,
    changeset_id: UUID,
    trace: Mapping[str, str],
    batch: int | None = None,
) -> None:
    """Undo the changes of a changeset, two chunks at a time; `undo_more` does the end.

    Raises: AttemptLost, Unavailable.
    """
    async with database.transaction(job.workspace_id) as tx:
        changeset = await store.lock_changeset(tx, job.workspace_id, changeset_id)
    if changeset is not None:
        await write_in_parallel(
            database, job, UndoWork(Actor.system(job.workspace_id), participants, changeset, trace, batch)
        )


async def give_up_undo(tx: Transaction, actor: Actor, *, changeset_id: UUID) -> None:
    """The undo's job failed or was cancelled: the changeset counts as applied, and its undo can be resumed."""
    undoing, applied = ChangesetStatus.UNDOING, ChangesetStatus.APPLIED
    _ = await store.transition(
        tx, actor.workspace_id, changeset_id, expected=undoing, status=applied
    )  # unless it is undone
