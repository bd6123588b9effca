"""Verbs of the hold on outgoing effects, for instance operators. Audit entries are in the system workspace."""

from dataclasses import replace

from pydantic import JsonValue

from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.hold import Hold, HoldState
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID


async def open_hold(database: Database, hold: Hold, actor: Actor) -> HoldState:
    """Release the hold, and record this server, database and instance as the original. Idempotent.

    Waiting work is sent within seconds. Raises: Forbidden.
    """
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        before = await hold.state(tx)
        if await hold.open(tx):
            await _record(tx, actor, IdentityAuditAction.HOLD_OPENED, before.reason)
        return await hold.state(tx)


async def close_hold(database: Database, hold: Hold, actor: Actor, *, reason: str) -> HoldState:
    """Set the hold: all effects wait. Idempotent. Raises: Forbidden."""
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        if await hold.close(tx, reason=reason):
            await _record(tx, actor, IdentityAuditAction.HOLD_CLOSED, reason)
        return await hold.state(tx)


async def _record(tx: Transaction, actor: Actor, action: IdentityAuditAction, reason: str) -> None:
    data: dict[str, JsonValue] = {"reason": reason}
    here = replace(actor, workspace_id=SYSTEM_WORKSPACE_ID)
    await audit.record(tx, here, action=action, subject_type=AuditSubject.HOLD, data=data)
