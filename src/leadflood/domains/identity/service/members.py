"""The members of a workspace.

Changes are made one at a time (`store.lock_members`), on roles read under that lock: two owners who demote each other
at once cannot leave the workspace without one.
"""

from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import AddMember, ChangeRole, MemberView
from leadflood.domains.identity.errors import (
    AlreadyMember,
    BeyondOwnPermissions,
    LastOwner,
    MemberNotFound,
    OwnersOnly,
    Unauthenticated,
    UserExists,
)
from leadflood.domains.identity.events import AuditAction, AuditSubject
from leadflood.domains.identity.models import can_give, permissions_of
from leadflood.domains.identity.service import audit
from leadflood.domains.identity.service.passwords import hashed
from leadflood.kernel.actor import PERMISSIONS, Actor, ActorKind, Permission, Role
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.errors import FieldError, InvalidInput
from leadflood.kernel.ids import new_id


async def initial_hash(member: AddMember) -> str | None:
    """The hash of the initial password, for `add_member`. Made before its transaction, since it takes a while.

    Raises: InvalidInput: when only one of name and initial password is given.
    """
    given = {"/name": member.name, "/initialPassword": member.initial_password}
    missing = [pointer for pointer, value in given.items() if value is None]
    if len(missing) == len(given):
        return None
    if missing or member.initial_password is None:
        message = "Give name and initialPassword to create a user, or neither to add one who exists."
        faults = [FieldError(pointer, "required", message) for pointer in missing]
        raise InvalidInput("A new user needs a name and an initial password.", errors=faults)
    return await hashed(member.initial_password)


async def add_member(tx: Transaction, actor: Actor, *, member: AddMember, initial_hash: str | None) -> MemberView:
    """Add an existing user by e-mail address, or with an initial password (see `initial_hash`) a new one.

    Whoever may add members thereby learns whether an address has an account here; invitations by mail will not tell.

    Raises: InvalidInput: naming what is missing where there is no such user. UserExists, AlreadyMember, OwnersOnly,
        BeyondOwnPermissions, Unauthenticated.
    """
    actor.require(Permission.MEMBERS_WRITE)
    own_role = await lock(tx, actor)
    require_may_give(actor, own_role, member.role)
    if initial_hash is None:
        user_id = await _existing_user(tx, member)
    else:
        user_id = await create_user(
            tx,
            actor,
            email=member.email,
            name=member.name or member.email.display,
            password_hash=initial_hash,
        )
    if not await store.insert_member(tx, actor.workspace_id, user_id, member.role):
        raise AlreadyMember
    await _record(tx, actor, AuditAction.MEMBER_ADDED, user_id, {"role": member.role})
    return await queries.get_member(tx, actor, user_id=user_id)


async def change_role(tx: Transaction, actor: Actor, *, user_id: UUID, change: ChangeRole) -> MemberView:
    """Give a member another role, which counts from that member's next request on, for API keys as well.

    Raises: MemberNotFound, LastOwner, OwnersOnly, BeyondOwnPermissions, Unauthenticated.
    """
    actor.require(Permission.MEMBERS_WRITE)
    own_role = await lock(tx, actor)
    role = await _role_of(tx, actor, user_id)
    if role is change.role:
        return await queries.get_member(tx, actor, user_id=user_id)
    require_may_touch(actor, own_role, role)
    require_may_give(actor, own_role, change.role)
    await _refuse_last_owner(tx, actor, user_id, role)
    await store.change_role(tx, actor.workspace_id, user_id, expected=role, role=change.role)
    data: dict[str, JsonValue] = {"from": role, "to": change.role}
    await _record(tx, actor, AuditAction.MEMBER_ROLE_CHANGED, user_id, data)
    return await queries.get_member(tx, actor, user_id=user_id)


async def remove_member(tx: Transaction, actor: Actor, *, user_id: UUID) -> None:
    """Remove a member, or leave. Sessions in this workspace and API keys that the member made go at once.

    Raises: MemberNotFound, LastOwner, OwnersOnly, Unauthenticated.
    """
    actor.require(Permission.MEMBERS_WRITE)
    own_role = await lock(tx, actor)
    role = await _role_of(tx, actor, user_id)
    require_may_touch(actor, own_role, role)
    await _refuse_last_owner(tx, actor, user_id, role)
    await store.delete_member(tx, actor.workspace_id, user_id, expected=role)
    await _record(tx, actor, AuditAction.MEMBER_REMOVED, user_id, {"role": role})


async def join(tx: Transaction, workspace_id: UUID, *, user_id: UUID, role: Role, request_id: str | None) -> Actor:
    """Make a user a member who was let in by an invitation. Who is one already keeps the role. Returns who joined.

    Needs a system transaction in which the workspace's members are locked.
    """
    joined = await store.insert_member(tx, workspace_id, user_id, role)
    now = role if joined else (await store.role_of(tx, workspace_id, user_id) or role)
    permissions = permissions_of(now, None)
    actor = Actor(ActorKind.USER, workspace_id, permissions, user_id=user_id, role=now, request_id=request_id)
    if joined:
        await _record(tx, actor, AuditAction.MEMBER_ADDED, user_id, {"role": role})
    return actor


async def create_user(tx: Transaction, actor: Actor, *, email: EmailAddress, name: str, password_hash: str) -> UUID:
    """Create a user who is in no workspace yet, audited in the actor's. Raises: UserExists."""
    user_id = new_id()
    created = await store.insert_user(
        tx, user_id=user_id, email=email.display, email_norm=email.norm, name=name, password_hash=password_hash
    )
    if not created:
        raise UserExists
    await audit.record(
        tx,
        actor,
        action=AuditAction.USER_CREATED,
        subject_type=AuditSubject.USER,
        subject_id=user_id,
        data={"email": email.display},
    )
    return user_id


async def hold_account(tx: Transaction, *, user_id: UUID, password_hash: str) -> bool:
    """Whether a password verified before still is the user's, who may sign in; it stays so in this transaction."""
    return await store.hold_account(tx, user_id, password_hash)


async def lock(tx: Transaction, actor: Actor) -> Role | None:
    """Lock the members and return the actor's role now; None for an actor who is no person, and no person's key.

    Raises: Unauthenticated: for somebody who has just lost the right to change members.
    """
    await store.lock_members(tx, actor.workspace_id)
    if actor.user_id is None:
        return None
    role = await store.role_of(tx, actor.workspace_id, actor.user_id)
    if role is None or Permission.MEMBERS_WRITE not in PERMISSIONS[role]:
        raise Unauthenticated
    return role


async def _role_of(tx: Transaction, actor: Actor, user_id: UUID) -> Role:
    role = await store.role_of(tx, actor.workspace_id, user_id)
    if role is None:
        raise MemberNotFound
    return role


def require_may_touch(actor: Actor, own_role: Role | None, role: Role) -> None:
    """Raises: OwnersOnly: when somebody else than an owner, or a key, lays hands on an owner."""
    # An API key of an owner is not an owner: whoever finds it must not be able to take the workspace over.
    is_owner = own_role is None or (actor.kind is ActorKind.USER and own_role is Role.OWNER)
    if role is Role.OWNER and not is_owner:
        raise OwnersOnly


def require_may_give(actor: Actor, own_role: Role | None, role: Role) -> None:
    """Raises: OwnersOnly, BeyondOwnPermissions: nobody hands out what they do not have."""
    require_may_touch(actor, own_role, role)
    if not can_give(actor, role):
        raise BeyondOwnPermissions(sorted(PERMISSIONS[role] - actor.permissions - {Permission.ACCOUNT}))


async def _refuse_last_owner(tx: Transaction, actor: Actor, user_id: UUID, role: Role) -> None:
    if role is Role.OWNER and not await store.has_other_owner(tx, actor.workspace_id, user_id):
        raise LastOwner


async def _existing_user(tx: Transaction, member: AddMember) -> UUID:
    user_id = await queries.user_id_of(tx, member.email.norm)
    if user_id is None:
        message = "There is no user with this address yet. Give name and initialPassword to create one."
        faults = [FieldError(pointer, "required", message) for pointer in ("/name", "/initialPassword")]
        raise InvalidInput("A new user needs a name and an initial password.", errors=faults)
    return user_id


async def _record(
    tx: Transaction,
    actor: Actor,
    action: AuditAction,
    user_id: UUID,
    data: dict[str, JsonValue],
) -> None:
    await audit.record(
        tx,
        actor,
        action=action,
        subject_type=AuditSubject.MEMBER,
        subject_id=user_id,
        data=data,
    )
