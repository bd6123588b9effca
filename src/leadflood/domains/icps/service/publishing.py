"""Publishing a version: score all leads by it, then show its scores, with one update.

While it runs, changes of leads are scored by both versions, so that nothing has to be caught up. Only transactions that
had begun before cannot know of it: the job waits for them first.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from leadflood.domains.icps import queries, store
from leadflood.domains.icps.contracts.icps import IcpView, Publish
from leadflood.domains.icps.errors import AlreadyLive, PublicationRuns
from leadflood.domains.icps.events import ICP_PUBLISHED, PUBLISH_VERSION, IcpAuditAction, IcpData, VersionPayload
from leadflood.domains.icps.permissions import ICPS_PUBLISH
from leadflood.domains.icps.service import lock_icp, record
from leadflood.domains.icps.service.rescoring import score_locked
from leadflood.domains.icps.store import scoring
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads.service import found_values as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import NO_TRACE, Event
from leadflood.kernel.ids import new_id

CHUNK: Final = 2_000
"""Leads that are scored in one transaction, which locks them."""


async def start(
    tx: Transaction, actor: Actor, *, icp_id: UUID, command: Publish, trace: Mapping[str, str] = NO_TRACE
) -> IcpView:
    """Begin to publish the draft, or a former version. A job does it.

    Raises: IcpNotFound, IcpVersionNotFound, PublicationRuns, AlreadyLive.
    """
    actor.require(ICPS_PUBLISH)
    await lock_icp(tx, actor, icp_id)
    icp = await queries.get_icp(tx, actor, icp_id=icp_id)
    if icp.publishing is not None:
        raise PublicationRuns
    found = await queries.get_version(tx, actor, icp_id=icp_id, number=command.number)
    job_id = new_id()
    if not await store.start(tx, actor.workspace_id, version_id=found.id, job_id=job_id):
        raise AlreadyLive
    payload = VersionPayload(version_id=found.id)
    await jobs.enqueue(tx, actor, jobs=[NewJob(PUBLISH_VERSION, payload, icp_id, trace, job_id)])
    await record(tx, actor, IcpAuditAction.PUBLICATION_STARTED, icp_id, number=command.number)
    return await queries.get_icp(tx, actor, icp_id=icp_id)


async def score_chunk(tx: Transaction, actor: Actor, *, version_id: UUID, after_id: UUID | None) -> UUID | None:
    """Score the next leads by a version, deleted ones included. Returns the last one; None at the end."""
    row = await queries.version_row(tx, actor.workspace_id, version_id=version_id)
    if row is None or row.state not in ("publishing", "live"):
        return None
    lead_ids = await leads.next_any(tx, actor, after_id=after_id, limit=CHUNK)
    locked = await leads.lock_any(tx, actor, lead_ids=lead_ids)
    if locked:
        await scoring.refresh_facts(tx, actor.workspace_id, locked)
        await score_locked(tx, actor.workspace_id, versions=[row], lead_ids=locked)
    if lead_ids and row.state == "publishing":
        last = lead_ids[-1]
        await store.advance(tx, actor.workspace_id, version_id=version_id, after_id=last, scored=len(locked))
    return lead_ids[-1] if len(lead_ids) == CHUNK else None


async def finish(tx: Transaction, actor: Actor, *, version_id: UUID) -> None:
    """Show the scores of a version whose leads are all scored. Nothing happens if it is not being published."""
    row = await queries.version_row(tx, actor.workspace_id, version_id=version_id)
    if row is None:
        return
    await store.lock_icp(tx, actor.workspace_id, row.icp_id)
    row = await queries.version_row(tx, actor.workspace_id, version_id=version_id)
    if row is None or row.state != "publishing":
        return
    await store.flip(tx, actor.workspace_id, icp_id=row.icp_id, version_id=version_id)
    await publish(tx, ICP_PUBLISHED, [Event(row.icp_id, IcpData(number=row.number), actor)])
    await record(tx, actor, IcpAuditAction.PUBLISHED, row.icp_id, number=row.number)


async def give_up(tx: Transaction, actor: Actor, *, version_id: UUID) -> None:
    """End a publication whose job failed: the version is what it was before."""
    await store.give_up(tx, actor.workspace_id, version_id=version_id)
