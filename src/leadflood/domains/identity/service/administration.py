"""Verbs of the operator at the machine's command line, who has all permissions in every workspace."""

from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from pydantic import ValidationError

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import (
    CreateUser,
    CreateWorkspace,
    SetPassword,
    UserSummary,
    UserView,
    WorkspaceView,
)
from leadflood.domains.identity.errors import LastOperator, UserExists, UserNotFound, WorkspaceNotFound
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.models import (
    DEMO_EMAIL,
    DEMO_PASSWORD,
    FIRST_OWNER_EMAIL,
    FIRST_WORKSPACE,
    Account,
    EndReason,
    FirstRun,
)
from leadflood.domains.identity.queries import instance as installation
from leadflood.domains.identity.service import api_keys, audit, devices, operators
from leadflood.domains.identity.service.passwords import (
    end_and_record,
    hash_password_in_thread,
    password_matches,
    unlock,
)
from leadflood.kernel.actor import Actor, Permission, Role
from leadflood.kernel.crypto import SecretBox, new_password
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress, parse_email
from leadflood.kernel.errors import FieldError, InvalidInput, expect_changed
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from leadflood.kernel.pagination import Page, Position
from leadflood.kernel.schema import Schema, field_errors
from leadflood.kernel.text import InvalidValue

_C = TypeVar("_C", bound=Schema)
_SYSTEM = Actor.cli(SYSTEM_WORKSPACE_ID)
"""The actor that creates the first workspace and the demo user: the start of a process."""


async def create_user(database: Database, actor: Actor, *, email: str, name: str, password: str) -> UserView:
    """Create a user without a workspace. Raises: InvalidInput, UserExists."""
    actor.require(Permission.INSTANCE)
    user = _checked(CreateUser, {"email": email, "name": name, "password": password})
    password_hash = await hash_password_in_thread(user.password)
    async with database.system() as tx:
        created = await _insert_user(tx, actor, user.email, user.name, password_hash)
        if created is None:
            raise UserExists
    return UserView(id=created, email=user.email.display, name=user.name)


async def create_workspace(database: Database, actor: Actor, *, name: str, owner_email: str) -> WorkspaceView:
    """Create a workspace for an existing user. Raises: InvalidInput, UserNotFound."""
    actor.require(Permission.INSTANCE)
    workspace = _checked(CreateWorkspace, {"name": name, "ownerEmail": owner_email})
    async with database.system() as tx:
        owner_id = await queries.user_id_of(tx, workspace.owner_email.norm)
        if owner_id is None:
            raise UserNotFound
        workspace_id = await _insert_workspace(tx, actor, workspace.name, owner_id)
        return await queries.get_workspace(tx, replace(actor, workspace_id=workspace_id))


async def set_password(database: Database, actor: Actor, *, email: str, password: str) -> None:
    """Set a user's password and end all the user's sessions.

    API keys are kept, unless the password was the demo user's public one. Raises: InvalidInput, UserNotFound.
    """
    actor.require(Permission.INSTANCE)
    change = _checked(SetPassword, {"email": email, "password": password})
    async with database.system(read_only=True) as tx:
        before = await _account(tx, change.email)
    was_public = await password_matches(DEMO_PASSWORD, before.password_hash)
    password_hash = await hash_password_in_thread(change.password)
    async with database.system() as tx:
        account = await _account(tx, change.email)
        if was_public:
            await api_keys.revoke_keys_of(tx, actor, account.id)
        await _put_password(tx, actor, account.id, password_hash)


async def disable_user(database: Database, actor: Actor, *, email: str) -> None:
    """Disable a user and end all sessions; the user's API keys are suspended until `enable_user`.

    Idempotent. Raises: InvalidInput, UserNotFound.
    """
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        account = await _account(tx, parsed_email(email))
        if await store.set_disabled(tx, account.id, disabled=True):
            await end_and_record(
                tx,
                actor,
                user_id=account.id,
                action=IdentityAuditAction.USER_DISABLED,
                reason=EndReason.USER_DISABLED,
            )


async def enable_user(database: Database, actor: Actor, *, email: str) -> None:
    """Enable a user. Idempotent. Raises: InvalidInput, UserNotFound."""
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        account = await _account(tx, parsed_email(email))
        await _enable(tx, actor, account.id)


async def unlock_user(database: Database, actor: Actor, secret_box: SecretBox, *, email: str) -> str:
    """Reset the failed sign-ins of unknown devices. Returns the code of a link that makes a browser known.

    Raises: InvalidInput, UserNotFound.
    """
    actor.require(Permission.INSTANCE)
    address = parsed_email(email)
    async with database.system() as tx:
        account = await _account(tx, address)
        await unlock(tx, secret_box, email_norm=account.email_norm)
        await audit.record_for_user(tx, actor, action=IdentityAuditAction.USER_UNLOCKED, user_id=account.id)
    return devices.link_code(secret_box, account.id)


async def grant_operator(database: Database, actor: Actor, *, email: str) -> None:
    """Make a user an instance operator. Idempotent. Raises: Forbidden, InvalidInput, UserNotFound."""
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        account = await _account(tx, parsed_email(email))
        await operators.make_operator(tx, actor, account.id)


async def revoke_operator(database: Database, actor: Actor, *, email: str) -> None:
    """Revoke operator rights, effective immediately. Idempotent.

    Raises: Forbidden, InvalidInput, UserNotFound, LastOperator: an installation keeps one who can sign in.
    """
    actor.require(Permission.INSTANCE)
    async with database.system() as tx:
        account = await _account(tx, parsed_email(email))
        await store.lock_operators(tx)
        if not await store.set_operator(tx, account.id, is_operator=False):
            return
        if not await installation.operators(tx):
            raise LastOperator
        await audit.record_for_user(tx, actor, action=IdentityAuditAction.OPERATOR_REVOKED, user_id=account.id)


async def list_users(database: Database, *, after: Position | None = None, limit: int) -> Page[UserSummary]:
    """All users, newest first."""
    async with database.system(read_only=True) as tx:
        return await installation.list_users(tx, after=after, limit=limit)


async def list_workspaces(database: Database, *, after: Position | None = None, limit: int) -> Page[WorkspaceView]:
    """All workspaces, oldest first."""
    async with database.system(read_only=True) as tx:
        return await installation.list_workspaces(tx, after=after, limit=limit)


async def first_run(database: Database) -> FirstRun | None:
    """Create the first workspace and its owner, or return None if there already is a workspace.

    Of several processes that start concurrently, one creates them. Only this return value has the password.
    """
    async with database.system(read_only=True) as tx:
        if await installation.first_workspace(tx) is not None:
            return None
    password = new_password()
    password_hash = await hash_password_in_thread(password)
    email = parse_email(FIRST_OWNER_EMAIL)
    async with database.system() as tx:
        await store.lock_first_run(tx)
        if await installation.first_workspace(tx) is not None:
            return None
        owner_id = await _user_with(tx, _SYSTEM, email, "Owner", password_hash)
        workspace_id = await _insert_workspace(tx, _SYSTEM, FIRST_WORKSPACE, owner_id)
    return FirstRun(workspace_id, email.display, password)


async def ensure_demo(database: Database) -> UUID:
    """Create or repair the demo user as an owner of the first workspace, whose ID is returned. Never in production.

    Raises: WorkspaceNotFound: before `first_run`.
    """
    email = parse_email(DEMO_EMAIL)
    async with database.system(read_only=True) as tx:
        account, _ = await queries.account_by_email(tx, email.norm)
    right = await password_matches(DEMO_PASSWORD, account.password_hash if account else None)
    password_hash = None if right else await hash_password_in_thread(DEMO_PASSWORD)
    async with database.system() as tx:
        await store.lock_first_run(tx)
        workspace_id = await installation.first_workspace(tx)
        if workspace_id is None:
            raise WorkspaceNotFound
        user_id = await _user_with(tx, _SYSTEM, email, "Demo", password_hash)
        present = password_hash or (account.password_hash if account else "")
        await store.note_public_password(tx, user_id, present)
        await _ensure_owner(tx, workspace_id, user_id)
        await operators.make_operator(tx, _SYSTEM, user_id)
    return workspace_id


def _checked(contract: type[_C], values: dict[str, str]) -> _C:
    try:
        return contract.model_validate(values)
    except ValidationError as exc:
        raise InvalidInput("Some values cannot be used.", errors=field_errors(exc)) from exc


def parsed_email(text: str) -> EmailAddress:
    """An email given at the command line. Raises: InvalidInput."""
    try:
        return parse_email(text)
    except InvalidValue as exc:
        fault = FieldError("/email", exc.code, str(exc))
        raise InvalidInput("Enter a valid email address.", errors=[fault]) from exc


async def _account(tx: Transaction, email: EmailAddress) -> Account:
    account, _ = await queries.account_by_email(tx, email.norm)
    if account is None:
        raise UserNotFound
    return account


async def _user_with(tx: Transaction, actor: Actor, email: EmailAddress, name: str, password_hash: str | None) -> UUID:
    """The user with this email, enabled, and with this password if given; created if missing."""
    created = await _insert_user(tx, actor, email, name, password_hash) if password_hash else None
    if created is not None:
        return created
    account = await _account(tx, email)
    if password_hash is not None:
        await _put_password(tx, actor, account.id, password_hash)
    await _enable(tx, actor, account.id)
    return account.id


async def _insert_user(
    tx: Transaction, actor: Actor, email: EmailAddress, name: str, password_hash: str
) -> UUID | None:
    user_id = new_id()
    created = await store.insert_user(
        tx, user_id=user_id, email=email.display, email_norm=email.norm, name=name, password_hash=password_hash
    )
    if not created:
        return None
    await audit.record_for_user(
        tx, actor, action=IdentityAuditAction.USER_CREATED, user_id=user_id, data={"email": email.display}
    )
    return user_id


async def _insert_workspace(tx: Transaction, actor: Actor, name: str, owner_id: UUID) -> UUID:
    workspace_id = new_id()
    await store.insert_workspace(tx, workspace_id, name)
    expect_changed(await store.insert_member(tx, workspace_id, owner_id, Role.OWNER))
    await audit.record(
        tx,
        replace(actor, workspace_id=workspace_id),
        action=IdentityAuditAction.WORKSPACE_CREATED,
        subject_type=AuditSubject.WORKSPACE,
        subject_id=workspace_id,
        data={"name": name, "ownerId": str(owner_id)},
    )
    await operators.ensure_operator(tx, actor, owner_id)
    return workspace_id


async def _put_password(tx: Transaction, actor: Actor, user_id: UUID, password_hash: str) -> None:
    expect_changed(await store.set_password(tx, user_id, password_hash, expected=None))
    await end_and_record(
        tx, actor, user_id=user_id, action=IdentityAuditAction.PASSWORD_SET, reason=EndReason.PASSWORD_CHANGED
    )


async def _enable(tx: Transaction, actor: Actor, user_id: UUID) -> None:
    if await store.set_disabled(tx, user_id, disabled=False):
        await audit.record_for_user(tx, actor, action=IdentityAuditAction.USER_ENABLED, user_id=user_id)


async def _ensure_owner(tx: Transaction, workspace_id: UUID, user_id: UUID) -> None:
    await store.lock_members(tx, workspace_id)
    role = await store.role_of(tx, workspace_id, user_id)
    if role is Role.OWNER:
        return
    if role is None:
        expect_changed(await store.insert_member(tx, workspace_id, user_id, Role.OWNER))
    else:
        expect_changed(await store.change_role(tx, workspace_id, user_id, expected=role, role=Role.OWNER))
    await audit.record(
        tx,
        Actor.cli(workspace_id),
        action=IdentityAuditAction.MEMBER_ADDED if role is None else IdentityAuditAction.MEMBER_ROLE_CHANGED,
        subject_type=AuditSubject.MEMBER,
        subject_id=user_id,
        data={"role": Role.OWNER} if role is None else {"from": role, "to": Role.OWNER},
    )
