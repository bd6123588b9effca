"""The first owner's own start: from the link that `up` prints to a name, an address and a password of one's own.

The code in the link is computed from the owner's id and password hash, so that it is stored nowhere. It stops working
with the first sign-in and with every change of the password, its own use included.
"""

import hmac
from typing import Final

from sqlalchemy.exc import IntegrityError

from leadflood.domains.identity import store
from leadflood.domains.identity.contracts import BrowserSession, MembershipView, SetUp
from leadflood.domains.identity.errors import EmailTaken, FirstRunOver
from leadflood.domains.identity.events import AuditAction, AuditSubject
from leadflood.domains.identity.models import FIRST_OWNER_EMAIL, Account, Client, EndReason, permissions_of
from leadflood.domains.identity.queries.untouched import untouched_owner
from leadflood.domains.identity.service import audit, sessions
from leadflood.domains.identity.service.passwords import end_and_record, hashed
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import Sealer, is_token
from leadflood.kernel.db.database import Database, Transaction

PREFIX: Final = "lff_"


async def open_code(database: Database, sealer: Sealer) -> str | None:
    """The code of the link, as long as it works; None once the first owner has signed in or changed the password."""
    async with database.system(read_only=True) as tx:
        owner = await untouched_owner(tx, FIRST_OWNER_EMAIL)
    return None if owner is None else _code(sealer, owner[0])


async def check(database: Database, sealer: Sealer, *, code: str) -> MembershipView:
    """The workspace that the code opens. Raises: FirstRunOver."""
    async with database.system(read_only=True) as tx:
        _, workspace = await _opened(tx, sealer, code)
    return workspace


async def set_up(
    database: Database, settings: Settings, sealer: Sealer, *, code: str, wanted: SetUp, client: Client
) -> BrowserSession:
    """Give the first owner and workspace what they are to be, and start the owner's session; all of it or nothing.

    Of two at once, one does. A session that somebody started meanwhile with the printed password ends.

    Raises: FirstRunOver, EmailTaken.
    """
    await check(database, sealer, code=code)  # before the work of hashing
    password_hash = await hashed(wanted.password)
    try:
        async with database.system() as tx:
            await store.lock_first_run(tx)
            account, workspace = await _opened(tx, sealer, code)
            await _save(tx, account, workspace, wanted, password_hash, client)
            named = MembershipView(id=workspace.id, name=wanted.workspace, role=workspace.role)
            return await sessions.start_browser(tx, settings, user_id=account.id, workspace=named, client=client)
    except IntegrityError as error:
        raise EmailTaken from error


async def _opened(tx: Transaction, sealer: Sealer, code: str) -> tuple[Account, MembershipView]:
    owner = await untouched_owner(tx, FIRST_OWNER_EMAIL) if is_token(code, PREFIX) else None
    if owner is None or not hmac.compare_digest(_code(sealer, owner[0]), code):
        raise FirstRunOver
    return owner


def _code(sealer: Sealer, account: Account) -> str:
    return sealer.token(PREFIX, b"first run", account.id.bytes, account.password_hash.encode())


async def _save(
    tx: Transaction, account: Account, workspace: MembershipView, wanted: SetUp, password_hash: str, client: Client
) -> None:
    if not await store.set_password(tx, account.id, password_hash, expected=account.password_hash):
        raise FirstRunOver
    email = wanted.email
    await store.set_email(tx, account.id, email=email.display, email_norm=email.norm, password_hash=password_hash)
    await store.set_profile(tx, account.id, name=wanted.name, appearance=None, time_zone=None)
    await store.rename_workspace(tx, workspace.id, wanted.workspace)
    actor = Actor(
        ActorKind.USER,
        workspace.id,
        permissions_of(workspace.role, None),
        user_id=account.id,
        role=workspace.role,
        request_id=client.request_id,
    )
    await end_and_record(
        tx,
        actor,
        user_id=account.id,
        action=AuditAction.PASSWORD_CHANGED,
        reason=EndReason.PASSWORD_CHANGED,
    )
    await audit.record(
        tx,
        actor,
        action=AuditAction.WORKSPACE_SET_UP,
        subject_type=AuditSubject.WORKSPACE,
        subject_id=workspace.id,
        data={"name": wanted.workspace, "email": email.display},
    )
