"""Keeps scores as the facts say: in the transaction of a change for up to 500 leads, otherwise by a job.

Triggers mark leads whose facts change (`icp_pending`). A transaction that scores a lead has locked it, removes its
marks, and then reads its facts. Leads that others have locked keep their marks, so that the last one to commit is right
and no transaction waits for another.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from leadflood.domains.companies.queries.links import members
from leadflood.domains.icps import queries
from leadflood.domains.icps.store import scoring
from leadflood.domains.leads.service import found_values as leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction

MAX_LEADS: Final = 500
"""Leads that are scored in the transaction of a change."""


async def rescore(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> None:
    """Score up to 500 leads by all versions that are scored, except those that others have locked."""
    if lead_ids and await queries.scored_rows(tx, actor.workspace_id):
        locked = await leads.lock_any(tx, actor, lead_ids=lead_ids, wait=False)
        await _score(tx, actor, locked)


async def rescore_companies(tx: Transaction, actor: Actor, *, company_ids: Sequence[UUID]) -> None:
    """The same for the leads of companies, if they are at most 500. Otherwise a job follows."""
    if await queries.scored_rows(tx, actor.workspace_id):
        wanted = await members(tx, actor, company_ids=company_ids, limit=MAX_LEADS + 1)
        if len(wanted) <= MAX_LEADS:
            await rescore(tx, actor, lead_ids=wanted)


async def rescore_pending(tx: Transaction, actor: Actor) -> int:
    """Score the next marked leads of the workspace. Returns how many were marked and not locked by others."""
    await scoring.drop_marks(tx, actor.workspace_id)
    wanted = await scoring.pending(tx, actor.workspace_id, limit=MAX_LEADS)
    locked = await leads.lock_any(tx, actor, lead_ids=sorted(wanted), wait=False)
    await _score(tx, actor, locked)
    return len(locked)


async def score_locked(
    tx: Transaction,
    workspace_id: UUID,
    *,
    versions: Sequence[Row],
    lead_ids: Sequence[UUID],
    now: datetime | None = None,
) -> None:
    """Score locked leads by these versions. `now`: for what depends on the date."""
    if not lead_ids or not versions:
        return
    for version in versions:
        profile, catalog = queries.stored_profile(version.id, version.body, version.shapes)
        await scoring.write_scores(
            tx,
            workspace_id,
            version_id=version.id,
            profile=profile,
            catalog=catalog,
            now=now or utc_now(),
            lead_ids=lead_ids,
        )


async def _score(tx: Transaction, actor: Actor, locked: Sequence[UUID]) -> None:
    """Score locked leads by all versions that are scored, so that their marks can go."""
    if locked:
        await scoring.unmark(tx, actor.workspace_id, locked)
        versions = await queries.scored_rows(tx, actor.workspace_id)
        await score_locked(tx, actor.workspace_id, versions=versions, lead_ids=locked)
