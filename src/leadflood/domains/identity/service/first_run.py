"""Setup of the first owner: the link of `up` and `serve`, and the choice of name, email and password.

The code in the link is computed from the owner's id and password hash and from its own end, so that it is stored
nowhere. It stops working after 24 hours, with the first sign-in and with every change of the password, its own use
included.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final

from leadflood.domains.identity import store
from leadflood.domains.identity.contracts import BrowserSession, MembershipView, SetUp
from leadflood.domains.identity.errors import EmailTaken, SetupAlreadyDone
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.models import FIRST_OWNER_EMAIL, Account, Client, EndReason, permissions_of
from leadflood.domains.identity.queries.unclaimed_owner import is_in_use, untouched_owner
from leadflood.domains.identity.service import audit, sessions
from leadflood.domains.identity.service.passwords import end_and_record, hash_password_in_thread
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox, is_token
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.errors import IntegrityError
from leadflood.kernel.db.transaction import Transaction

PREFIX: Final = "lff_"
LIFE: Final = timedelta(hours=24)
_MAX_END: Final = 12
"""Digits of a Unix time."""


async def open_code(
    database: Database, secret_box: SecretBox, *, now: datetime, unless_in_use: bool = False
) -> str | None:
    """A new code for the link; None once the first owner has signed in or changed the password.

    `unless_in_use`: also None once any user has signed in to the first workspace, such as the demo user.
    """
    async with database.system(read_only=True) as tx:
        owner = await untouched_owner(tx, FIRST_OWNER_EMAIL)
        if owner is None or (unless_in_use and await is_in_use(tx, owner[1].id)):
            return None
    return _code(secret_box, owner[0], int((now + LIFE).timestamp()))


async def check(database: Database, secret_box: SecretBox, *, code: str, now: datetime) -> MembershipView:
    """The workspace of the code. Raises: SetupAlreadyDone."""
    async with database.system(read_only=True) as tx:
        _, workspace = await _opened(tx, secret_box, code, now)
    return workspace


async def set_up(
    database: Database,
    settings: Settings,
    secret_box: SecretBox,
    *,
    code: str,
    wanted: SetUp,
    client: Client,
    now: datetime,
) -> BrowserSession:
    """Set up the first owner and workspace, and start the owner's session; atomic.

    Of two concurrent calls, one succeeds. A session started meanwhile with the printed password ends.

    Raises: SetupAlreadyDone, EmailTaken.
    """
    await check(database, secret_box, code=code, now=now)  # before the expensive hash
    password_hash = await hash_password_in_thread(wanted.password)
    try:
        async with database.system() as tx:
            await store.lock_first_run(tx)
            account, workspace = await _opened(tx, secret_box, code, now)
            await _save(tx, account, workspace, wanted, password_hash, client)
            named = MembershipView(id=workspace.id, name=wanted.workspace, role=workspace.role)
            return await sessions.start_browser(tx, settings, user_id=account.id, workspace=named, client=client)
    except IntegrityError as error:
        raise EmailTaken from error


async def _opened(tx: Transaction, secret_box: SecretBox, code: str, now: datetime) -> tuple[Account, MembershipView]:
    end = _end(code)
    if end is None or end <= now.timestamp():
        raise SetupAlreadyDone
    owner = await untouched_owner(tx, FIRST_OWNER_EMAIL)
    if owner is None:
        raise SetupAlreadyDone
    if not any(hmac.compare_digest(_code(box, owner[0], end), code) for box in secret_box.per_key):
        raise SetupAlreadyDone
    return owner


def _code(secret_box: SecretBox, account: Account, end: int) -> str:
    token = secret_box.token(PREFIX, b"first run", account.id.bytes, account.password_hash.encode(), str(end).encode())
    return f"{token}-{end}"


def _end(code: str) -> int | None:
    """Expiration of a code in Unix time, read from the code; None if it is not a code."""
    token, _, end = code.partition("-")
    well_formed = is_token(token, PREFIX) and end.isascii() and end.isdecimal() and len(end) <= _MAX_END
    return int(end) if well_formed else None


async def _save(
    tx: Transaction, account: Account, workspace: MembershipView, wanted: SetUp, password_hash: str, client: Client
) -> None:
    if not await store.set_password(tx, account.id, password_hash, expected=account.password_hash):
        raise SetupAlreadyDone
    email = wanted.email
    if not await store.set_email(
        tx, account.id, email=email.display, email_norm=email.norm, password_hash=password_hash
    ):
        raise SetupAlreadyDone
    await store.set_profile(tx, account.id, name=wanted.name)
    _ = await store.rename_workspace(tx, workspace.id, wanted.workspace)  # the name may stay the same
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
        action=IdentityAuditAction.PASSWORD_CHANGED,
        reason=EndReason.PASSWORD_CHANGED,
    )
    await audit.record(
        tx,
        actor,
        action=IdentityAuditAction.WORKSPACE_SET_UP,
        subject_type=AuditSubject.WORKSPACE,
        subject_id=workspace.id,
        data={"name": wanted.workspace, "email": email.display},
    )
