"""Instance operators: users with access to data and verbs of the whole installation.

A verb for operators alone starts with `actor.require(Permission.INSTANCE)`; so do pages and API routes.
"""

from uuid import UUID

from leadflood.domains.identity import store
from leadflood.domains.identity.events import IdentityAuditAction
from leadflood.domains.identity.queries.instance import operators
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.db.transaction import Transaction


async def make_operator(tx: Transaction, actor: Actor, user_id: UUID) -> None:
    """Make a user an instance operator, audited. Requires a system transaction."""
    actor.require(Permission.INSTANCE)
    if await store.set_operator(tx, user_id, is_operator=True):
        await audit.record_for_user(tx, actor, action=IdentityAuditAction.OPERATOR_GRANTED, user_id=user_id)


async def ensure_operator(tx: Transaction, actor: Actor, owner_id: UUID) -> None:
    """Make the owner of a new workspace an instance operator if there is none yet. Requires a system transaction."""
    await store.lock_first_run(tx)
    if not await operators(tx):
        await make_operator(tx, actor, owner_id)
