"""Instance operators: the users who see and do what concerns all workspaces of an installation.

A verb for operators alone starts with `actor.require(Permission.INSTANCE)`; so do pages and API routes.
"""

from uuid import UUID

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.errors import LastOperator, UserNotFound
from leadflood.domains.identity.events import AuditAction
from leadflood.domains.identity.queries.instance import operators
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.db.database import Database, Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID


async def grant_operator(database: Database, actor: Actor, *, email: EmailAddress) -> None:
    """Make a user an instance operator. Twice is the same as once. Raises: Forbidden, UserNotFound."""
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        await make_operator(tx, actor, await _user_id(tx, email))


async def revoke_operator(database: Database, actor: Actor, *, email: EmailAddress) -> None:
    """Make an instance operator an ordinary user, from the next request on. Twice is the same as once.

    Raises: Forbidden, UserNotFound, LastOperator: an installation keeps one who can sign in.
    """
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        user_id = await _user_id(tx, email)
        await store.lock_operators(tx)
        if not await store.set_operator(tx, user_id, is_operator=False):
            return
        if not await operators(tx):
            raise LastOperator
        await audit.record_for_user(tx, actor, action=AuditAction.OPERATOR_REVOKED, user_id=user_id)


async def make_operator(tx: Transaction, actor: Actor, user_id: UUID) -> None:
    """Make a user an instance operator, audited. Needs a system transaction."""
    actor.require(Permission.INSTANCE)
    if await store.set_operator(tx, user_id, is_operator=True):
        await audit.record_for_user(tx, actor, action=AuditAction.OPERATOR_GRANTED, user_id=user_id)


async def ensure_operator(tx: Transaction, owner_id: UUID) -> None:
    """Make the owner of a new workspace an instance operator where there is none yet. Needs a system transaction."""
    await store.lock_first_run(tx)
    if not await operators(tx):
        await make_operator(tx, Actor.cli(SYSTEM_WORKSPACE_ID), owner_id)


async def _user_id(tx: Transaction, email: EmailAddress) -> UUID:
    user_id = await queries.user_id_of(tx, email.norm)
    if user_id is None:
        raise UserNotFound
    return user_id
