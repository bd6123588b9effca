"""Verbs of scans: request a scan, process its next part."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import ScanView
from leadflood.domains.duplicates.events import SCAN, SCAN_DUPLICATES, DuplicateAuditAction, ScanPayload
from leadflood.domains.duplicates.models import Match, PersonKey, compare
from leadflood.domains.duplicates.store import scanning as store
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id

BATCH = 2000
NEIGHBOURS = 20
"""Maximum number of leads with the same key that a lead is compared with."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


async def request_scan(tx: Transaction, actor: Actor, *, trace: Mapping[str, str]) -> ScanView:
    """Start a scan of leads changed since the last one, or of all leads at first. Returns a running scan instead."""
    actor.require(LEADS_WRITE)
    started = await start_scan(tx, actor, trace=trace)
    scan = await queries.find_scan(tx, actor)
    if scan is None:
        raise Unavailable("The running scan was just removed. Try again.")
    if started is not None:
        data: dict[str, JsonValue] = {"jobId": str(started)}
        await audit.record(
            tx, actor, action=DuplicateAuditAction.SCAN_REQUESTED, subject_type=SCAN, subject_id=scan.id, data=data
        )
    return scan


async def start_scan(tx: Transaction, actor: Actor, *, trace: Mapping[str, str]) -> UUID | None:
    """Queue a scan. Returns the ID of its job; None if another scan is running."""
    scan_id = new_id()
    if not await store.insert_scan(tx, actor.workspace_id, scan_id):
        return None
    job = NewJob(SCAN_DUPLICATES, ScanPayload(scan_id=scan_id), scan_id, trace)
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
    await store.set_job(tx, actor.workspace_id, scan_id, job_id)
    return job_id


async def scan_more(tx: Transaction, actor: Actor, *, scan_id: UUID, batch: int = BATCH) -> int:
    """Compare the next leads of a running scan. Returns their number; none at the end.

    Idempotent: keys and candidates depend only on the current leads.
    """
    scan = await store.lock(tx, actor.workspace_id, scan_id)
    part = None if scan is None else await store.next_part(tx, scan, beginning=_BEGINNING, batch=batch)
    if scan is None or part is None:
        return 0
    people = {lead_id: PersonKey.of(lead) for lead_id, lead in part.leads.items()}
    keys = {lead_id: person.blocks() for lead_id, person in people.items()}
    await store.replace_keys(tx, actor.workspace_id, keys)
    pairs = await store.pairs(tx, actor.workspace_id, list(keys), neighbours=NEIGHBOURS)
    others = {lead_id for pair in pairs for lead_id in pair if lead_id not in people}
    active = await store.active_leads(tx, actor.workspace_id, list(others))
    people |= {lead_id: PersonKey.of(lead) for lead_id, lead in active.items()}
    found: dict[tuple[UUID, UUID], Match] = {}
    for one, two in pairs:
        match = compare(people[one], people[two]) if one in people and two in people else None
        if match is not None:
            found[one, two] = match
    fresh = await store.save_pairs(tx, actor.workspace_id, found)
    await store.drop_pairs(tx, actor.workspace_id, [pair for pair in pairs if pair not in found])
    await store.advance(tx, scan, part, found=fresh)
    return len(part.leads)
