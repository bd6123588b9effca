"""The caller's workspace."""

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import RenameWorkspace, WorkspaceView
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction


async def rename_workspace(tx: Transaction, actor: Actor, *, change: RenameWorkspace) -> WorkspaceView:
    """Rename the workspace. Raises: WorkspaceNotFound."""
    actor.require(WORKSPACE_WRITE)
    before = await queries.get_workspace(tx, actor)
    if await store.rename_workspace(tx, actor.workspace_id, change.name):
        await audit.record(
            tx,
            actor,
            action=IdentityAuditAction.WORKSPACE_RENAMED,
            subject_type=AuditSubject.WORKSPACE,
            subject_id=actor.workspace_id,
            data={"from": before.name, "to": change.name},
        )
    return await queries.get_workspace(tx, actor)
