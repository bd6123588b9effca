"""The members of a workspace.

Changes are made one at a time (`store.lock_members`), on roles read under that lock: two owners who demote each other
concurrently cannot leave the workspace without one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import AddMember, ChangeRole, MemberView
from leadflood.domains.identity.errors import (
    AlreadyMember,
    InvalidToken,
    LastOwner,
    MemberNotFound,
    OwnerRoleRequired,
    PermissionEscalation,
    UserExists,
    UserNotFound,
)
from leadflood.domains.identity.events import AuditSubject, IdentityAuditAction
from leadflood.domains.identity.models import can_grant, permissions_of
from leadflood.domains.identity.permissions import ACCOUNT, MEMBERS_WRITE
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import PERMISSIONS, Actor, ActorKind, Role
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.errors import Forbidden
from leadflood.kernel.ids import new_id

_NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


async def add_member(tx: Transaction, actor: Actor, *, member: AddMember) -> MemberView:
    """Add an existing user as a member directly; allowed for the command line only, others send an invitation.

    Others would learn which addresses have an account, and could add people who never agreed.

    Raises: Forbidden: unless called from the command line. UserNotFound, AlreadyMember.
    """
    actor.require(MEMBERS_WRITE)
    if actor.kind is not ActorKind.CLI:
        raise Forbidden("Invite the person instead: an account joins a workspace only when its owner accepts.")
    await lock(tx, actor)
    user_id = await queries.user_id_of(tx, member.email.norm)
    if user_id is None:
        raise UserNotFound
    if not await store.insert_member(tx, actor.workspace_id, user_id, member.role):
        raise AlreadyMember
    await _record(tx, actor, IdentityAuditAction.MEMBER_ADDED, user_id, {"role": member.role})
    return await queries.get_member(tx, actor, user_id=user_id)


async def change_role(tx: Transaction, actor: Actor, *, user_id: UUID, change: ChangeRole) -> MemberView:
    """Change a member's role, effective immediately, also for the member's API keys.

    Raises: MemberNotFound, LastOwner, OwnerRoleRequired, PermissionEscalation, Unauthenticated.
    """
    actor.require(MEMBERS_WRITE)
    own_role = await lock(tx, actor)
    role = await _role_of(tx, actor, user_id)
    if role is change.role:
        return await queries.get_member(tx, actor, user_id=user_id)
    require_may_change(actor, own_role, role)
    require_may_grant(actor, own_role, change.role)
    await _refuse_last_owner(tx, actor, user_id, role)
    if not await store.change_role(tx, actor.workspace_id, user_id, expected=role, role=change.role):
        raise MemberNotFound
    data: dict[str, JsonValue] = {"from": role, "to": change.role}
    await _record(tx, actor, IdentityAuditAction.MEMBER_ROLE_CHANGED, user_id, data)
    return await queries.get_member(tx, actor, user_id=user_id)


async def remove_member(
    tx: Transaction, actor: Actor, *, user_id: UUID, immediately: bool = True, left: Mapping[str, JsonValue] = _NOTHING
) -> None:
    """Remove a member, or leave. The member's sessions in this workspace and API keys are deleted immediately.

    Edges call `leads.service.member_removal`, which also handles what other domains store about the member. Unless
    `immediately`, the row that leads refer to stays until `finish_removal`. Args: left: what the member left behind,
    for the audit log.

    Raises: MemberNotFound, LastOwner, OwnerRoleRequired, Unauthenticated.
    """
    actor.require(MEMBERS_WRITE)
    own_role = await lock(tx, actor)
    role = await _role_of(tx, actor, user_id)
    require_may_change(actor, own_role, role)
    await _refuse_last_owner(tx, actor, user_id, role)
    remove = store.delete_member if immediately else store.start_removal
    if not await remove(tx, actor.workspace_id, user_id, expected=role):
        raise MemberNotFound
    await _record(tx, actor, IdentityAuditAction.MEMBER_REMOVED, user_id, {"role": role, **left})


async def finish_removal(tx: Transaction, actor: Actor, *, user_id: UUID) -> None:
    """Delete a leaving member, unless the user joined again meanwhile."""
    _ = await store.finish_removal(tx, actor.workspace_id, user_id)  # unless the user joined again


async def join(tx: Transaction, workspace_id: UUID, *, user_id: UUID, role: Role, request_id: str | None) -> Actor:
    """Add the user of an invitation as a member. An existing member keeps the role. Returns the user.

    Requires a system transaction in which the workspace's members are locked.
    """
    joined = await store.insert_member(tx, workspace_id, user_id, role)
    now = role if joined else (await store.role_of(tx, workspace_id, user_id) or role)
    permissions = permissions_of(now, None)
    actor = Actor(ActorKind.USER, workspace_id, permissions, user_id=user_id, role=now, request_id=request_id)
    if joined:
        await _record(tx, actor, IdentityAuditAction.MEMBER_ADDED, user_id, {"role": role})
    return actor


async def create_user(tx: Transaction, actor: Actor, *, email: EmailAddress, name: str, password_hash: str) -> UUID:
    """Create a user without a workspace, audited in the actor's. Raises: UserExists."""
    user_id = new_id()
    created = await store.insert_user(
        tx, user_id=user_id, email=email.display, email_norm=email.norm, name=name, password_hash=password_hash
    )
    if not created:
        raise UserExists
    await audit.record(
        tx,
        actor,
        action=IdentityAuditAction.USER_CREATED,
        subject_type=AuditSubject.USER,
        subject_id=user_id,
        data={"email": email.display},
    )
    return user_id


async def lock_account(tx: Transaction, *, user_id: UUID, password_hash: str) -> bool:
    """Whether a verified password is still the user's, who can sign in; locked for this transaction."""
    return await store.lock_account(tx, user_id, password_hash)


async def lock(tx: Transaction, actor: Actor) -> Role | None:
    """Lock the members and return the actor's current role; None if the actor is not a user or a user's key.

    Raises: Unauthenticated: for a user who has just lost the right to change members.
    """
    await store.lock_members(tx, actor.workspace_id)
    if actor.user_id is None:
        return None
    role = await store.role_of(tx, actor.workspace_id, actor.user_id)
    if role is None or MEMBERS_WRITE not in PERMISSIONS[role]:
        raise InvalidToken
    return role


async def _role_of(tx: Transaction, actor: Actor, user_id: UUID) -> Role:
    role = await store.role_of(tx, actor.workspace_id, user_id)
    if role is None:
        raise MemberNotFound
    return role


def require_may_change(actor: Actor, own_role: Role | None, role: Role) -> None:
    """Raises: OwnerRoleRequired: when an actor other than an owner, or a key, changes an owner."""
    # An API key of an owner is not an owner: a leaked key must not be able to take over the workspace.
    is_owner = own_role is None or (actor.kind is ActorKind.USER and own_role is Role.OWNER)
    if role is Role.OWNER and not is_owner:
        raise OwnerRoleRequired


def require_may_grant(actor: Actor, own_role: Role | None, role: Role) -> None:
    """Raises: OwnerRoleRequired, PermissionEscalation: users cannot grant permissions that they do not have."""
    require_may_change(actor, own_role, role)
    if not can_grant(actor, role):
        raise PermissionEscalation(sorted(PERMISSIONS[role] - actor.permissions - {ACCOUNT}))


async def _refuse_last_owner(tx: Transaction, actor: Actor, user_id: UUID, role: Role) -> None:
    if role is Role.OWNER and not await store.has_other_owner(tx, actor.workspace_id, user_id):
        raise LastOwner


async def _record(
    tx: Transaction,
    actor: Actor,
    action: IdentityAuditAction,
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
