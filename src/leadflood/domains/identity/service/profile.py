"""One's own profile: the name that others see, the address to sign in with, and preferences."""

from sqlalchemy.exc import IntegrityError

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import ChangeEmail, MeView, UpdateMe
from leadflood.domains.identity.errors import EmailTaken, Unauthenticated, WrongPassword
from leadflood.domains.identity.events import AuditAction
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.service import access, audit
from leadflood.domains.identity.service.passwords import confirmed
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import Sealer
from leadflood.kernel.db.database import Database


async def update_me(database: Database, actor: Actor, *, change: UpdateMe) -> MeView:
    """Change the caller's name and preferences. A new name, which others see, is audited in all the user's workspaces.

    Raises: Unauthenticated: for a caller who is no user.
    """
    actor.require(Permission.ACCOUNT)
    if actor.user_id is None:
        raise Unauthenticated
    async with database.system() as tx:
        before = await queries.account(tx, actor.user_id)
        await store.set_profile(
            tx, actor.user_id, name=change.name, appearance=change.appearance, time_zone=change.time_zone
        )
        if change.name not in (None, before.name):
            await audit.record_for_user(
                tx,
                actor,
                action=AuditAction.USER_RENAMED,
                user_id=actor.user_id,
                data={"from": before.name, "to": change.name},
            )
    return await access.me(database, actor)


async def change_email(
    database: Database, settings: Settings, sealer: Sealer, actor: Actor, *, change: ChangeEmail, client: Client
) -> None:
    """Give the caller another address to sign in with. Sessions and API keys stay.

    A taken address leaves the attempt counted as failed, so that nobody finds out with this who has an account here.

    Raises: WrongPassword, LoginThrottled (the current password is guarded like a login), EmailTaken, Unauthenticated.
    """
    actor.require(Permission.ACCOUNT)
    account, attempt = await confirmed(database, settings, sealer, actor, password=change.current_password)
    email = change.email
    try:
        async with database.system() as tx:
            changed = await store.set_email(
                tx, account.id, email=email.display, email_norm=email.norm, password_hash=account.password_hash
            )
            if not changed:
                raise WrongPassword
            await attempt.succeeded(tx)
            await audit.record_for_user(
                tx,
                actor,
                action=AuditAction.USER_EMAIL_CHANGED,
                user_id=account.id,
                data={"from": account.email, "to": email.display},
            )
    except IntegrityError as error:
        raise EmailTaken from error
