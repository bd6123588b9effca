"""Review of pairs: dismiss a pair as different people, and reopen it."""

from uuid import UUID

from leadflood.domains.duplicates import queries
from leadflood.domains.duplicates.contracts import DuplicateView
from leadflood.domains.duplicates.errors import DuplicateMerged
from leadflood.domains.duplicates.events import DUPLICATE, DuplicateAuditAction
from leadflood.domains.duplicates.models import CandidateStatus
from leadflood.domains.duplicates.store import merges as store
from leadflood.domains.identity.service import audit
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def dismiss(tx: Transaction, actor: Actor, *, duplicate_id: UUID) -> DuplicateView:
    """Dismiss a pair; later scans do not report it. Raises: DuplicateNotFound, DuplicateMerged."""
    actor.require(LEADS_WRITE)
    return await _decide(
        tx, actor, duplicate_id, CandidateStatus.OPEN, CandidateStatus.DISMISSED, DuplicateAuditAction.DISMISSED
    )


async def reopen(tx: Transaction, actor: Actor, *, duplicate_id: UUID) -> DuplicateView:
    """Reopen a dismissed pair. Raises: DuplicateNotFound, DuplicateMerged."""
    actor.require(LEADS_WRITE)
    return await _decide(
        tx, actor, duplicate_id, CandidateStatus.DISMISSED, CandidateStatus.OPEN, DuplicateAuditAction.REOPENED
    )


async def _decide(
    tx: Transaction,
    actor: Actor,
    duplicate_id: UUID,
    expected: CandidateStatus,
    status: CandidateStatus,
    action: DuplicateAuditAction,
) -> DuplicateView:
    decided = await store.decide(tx, actor, duplicate_id, expected=expected, status=status)
    found = await queries.get_duplicate(tx, actor, duplicate_id=duplicate_id)
    if found.status is CandidateStatus.MERGED:
        raise DuplicateMerged
    if decided:
        await audit.record(tx, actor, action=action, subject_type=DUPLICATE, subject_id=duplicate_id, data={"count": 1})
    return found
