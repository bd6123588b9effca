"""The audit log, written in the transaction of the change."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id


async def record(
    tx: Transaction,
    actor: Actor,
    *,
    action: str,
    subject_type: str,
    subject_id: UUID | None = None,
    data: Mapping[str, JsonValue] | None = None,
) -> None:
    """Append one event to the actor's workspace. Every verb that writes records its change here.

    Args:
        tx: the transaction of the change itself.
        actor: who did it, where, and by which request.
        action: a stable name such as `job.cancelled`.
        subject_type: what kind of thing it was done to.
        subject_id: which one.
        data: what changed, as small JSON, with its `count`; never a secret. What can be undone has the id that its undo
            needs: `changesetId`, `importId` or `mergeId`.
    """
    event = {
        "id": new_id(),
        "action": action,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "data": {**(data or {}), **({"osUser": actor.os_user} if actor.os_user else {})},
        "request_id": actor.request_id,
    }
    await store.insert_audit_event(tx, actor, event)


async def record_for_user(
    tx: Transaction,
    actor: Actor,
    *,
    action: str,
    user_id: UUID,
    data: Mapping[str, JsonValue] | None = None,
) -> None:
    """Append an event about a user to each of the user's workspaces, or to the system's if there is none.

    Requires a system transaction.
    """
    joined = [item.id for item in await queries.memberships_of(tx, user_id)]
    for workspace_id in joined or [SYSTEM_WORKSPACE_ID]:
        await record(
            tx,
            replace(actor, workspace_id=workspace_id),
            action=action,
            subject_type="user",
            subject_id=user_id,
            data=data,
        )


async def purge(database: Database, *, days: int, limit: int) -> int:
    """Delete events past the retention period, at most `limit`, and record that in the system's log. Returns how many.

    The database keeps 90 days whatever is asked for.
    """
    async with database.system() as tx:
        removed = await store.purge_audit_events(tx, days=days, limit=limit)
        if removed:
            actor = Actor.system(SYSTEM_WORKSPACE_ID)
            data: dict[str, JsonValue] = {"count": removed, "olderThanDays": days}
            action, subject = IdentityAuditAction.AUDIT_PURGED, AuditSubject.WORKSPACE
            await record(tx, actor, action=action, subject_type=subject, subject_id=SYSTEM_WORKSPACE_ID, data=data)
    return removed
