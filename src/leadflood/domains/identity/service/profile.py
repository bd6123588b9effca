"""A user's own profile: name, email, and preferences."""

from uuid import UUID

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import MeView, UpdateMe
from leadflood.domains.identity.errors import EmailTaken, InvalidToken
from leadflood.domains.identity.events import IdentityAuditAction
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import access, audit
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID


async def update_me(database: Database, actor: Actor, *, change: UpdateMe) -> MeView:
    """Change the caller's name and preferences. A new name is audited in all the user's workspaces.

    Raises: Unauthenticated: for a caller who is no user.
    """
    actor.require(ACCOUNT)
    if actor.user_id is None:
        raise InvalidToken
    async with database.system() as tx:
        before = await queries.account(tx, actor.user_id)
        await store.set_profile(
            tx,
            actor.user_id,
            name=change.name,
            appearance=change.appearance,
            time_zone=change.time_zone,
            locale=change.locale,
        )
        if change.name not in (None, before.name):
            await audit.record_for_user(
                tx,
                actor,
                action=IdentityAuditAction.USER_RENAMED,
                user_id=actor.user_id,
                data={"from": before.name, "to": change.name},
            )
    return await access.me(database, actor)


async def set_email(tx: Transaction, *, user_id: UUID, email: EmailAddress, client: Client) -> bool:
    """Set a verified email. Sessions and API keys are kept. Requires a system transaction.

    Returns False if the password was changed meanwhile.

    Raises: EmailTaken: which must roll the transaction back.
    """
    before = await queries.account(tx, user_id)
    try:
        changed = await store.set_email(
            tx, user_id, email=email.display, email_norm=email.norm, password_hash=before.password_hash
        )
    except IntegrityError as error:
        raise EmailTaken from error
    if not changed:
        return False
    actor = Actor(ActorKind.USER, SYSTEM_WORKSPACE_ID, frozenset(), user_id=user_id, request_id=client.request_id)
    await audit.record_for_user(
        tx,
        actor,
        action=IdentityAuditAction.USER_EMAIL_CHANGED,
        user_id=user_id,
        data={"from": before.email, "to": email.display},
    )
    return True
