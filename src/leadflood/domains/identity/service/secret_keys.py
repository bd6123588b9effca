"""Re-encryption of stored values with the current secret key, recorded in the system workspace's audit log."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.hold import Hold
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID
from leadflood.kernel.sealed_columns import SealedColumn, reseal


async def rotate(
    database: Database,
    hold: Hold,
    actor: Actor,
    *,
    secret_box: SecretBox,
    columns: Sequence[SealedColumn],
    report: Callable[[SealedColumn, int], None],
) -> int:
    """Encrypt all stored values with the current key. Returns the number of re-encrypted values.

    Safe to interrupt and repeat. Raises: Forbidden.
    """
    actor.require(Permission.INSTANCE)
    count = await reseal(database, secret_box, columns, report=report)
    async with database.system() as tx:
        await hold.renew_instance_id(tx)
        await audit.record(
            tx,
            replace(actor, workspace_id=SYSTEM_WORKSPACE_ID),
            action=IdentityAuditAction.SECRET_KEY_ROTATED,
            subject_type=AuditSubject.SECRET_KEY,
            data={"count": count, "key": secret_box.key_id},
        )
    return count
