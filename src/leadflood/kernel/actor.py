"""Who acts, in which workspace, and what that allows."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self
from uuid import UUID

from leadflood.kernel.errors import Forbidden


class Permission(StrEnum):
    """Permission of a role; also the scope of an API key."""

    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    OUTBOX_READ = "outbox:read"
    OUTBOX_WRITE = "outbox:write"
    EVENTS_READ = "events:read"
    WORKSPACE_READ = "workspace:read"
    WORKSPACE_WRITE = "workspace:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"
    PERSONAL_DATA = "personal_data:write"
    """Export and erase the data of a person."""
    ACCOUNT = "account"
    """One's own profile, password and sessions. Only people have it, never API keys."""
    INSTANCE = "instance"
    """What concerns all workspaces of this installation. Only instance operators have it, never a role or API key."""


class Role(StrEnum):
    """A member's role, from most to least privileged."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


_VIEWER = frozenset(
    {
        Permission.LEADS_READ,
        Permission.JOBS_READ,
        Permission.EVENTS_READ,
        Permission.WORKSPACE_READ,
        Permission.MEMBERS_READ,
        Permission.ACCOUNT,
    }
)
_MEMBER = _VIEWER | {Permission.LEADS_WRITE, Permission.JOBS_WRITE}
_ADMIN = frozenset(Permission) - {Permission.INSTANCE}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: frozenset(_MEMBER),
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN,
}
"""Owner and admin hold the same permissions; what only owners may do (touch other owners) is a rule of identity."""

SCOPES = _ADMIN - {Permission.ACCOUNT}
"""The permissions that an API key can carry."""


class MissingPermission(Forbidden):
    """The caller's role or API key lacks the permission."""

    def __init__(self, permission: Permission) -> None:
        """Args: permission: what is missing."""
        message = f"Your role or API key lacks the permission {permission.value!r}."
        if permission is Permission.INSTANCE:
            message = (
                "Only instance operators can do this, signed in with a password. "
                "Your administrator can add you with `leadflood user operator grant EMAIL`."
            )
        super().__init__(message, extra={"requiredPermission": permission.value})
        self.permission = permission


class ActorKind(StrEnum):
    """How the caller authenticated."""

    USER = "user"
    API_KEY = "api_key"
    CLI = "cli"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a verb: every read and write is scoped by it, and the audit log has it.

    Attributes:
        request_id: the request that it makes; None outside of one.
        os_user: the account of the operating system, at the command line.
    """

    kind: ActorKind
    workspace_id: UUID
    permissions: frozenset[Permission]
    user_id: UUID | None = None
    role: Role | None = None
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    request_id: str | None = field(default=None, compare=False)
    os_user: str | None = field(default=None, compare=False)

    @classmethod
    def system(cls, workspace_id: UUID, *, request_id: str | None = None) -> Self:
        """The worker, acting in the workspace of the job it runs."""
        return cls(ActorKind.SYSTEM, workspace_id, frozenset(Permission), request_id=request_id)

    @classmethod
    def cli(cls, workspace_id: UUID, *, os_user: str | None = None) -> Self:
        """The operator at the machine's own command line, who could reach the database anyway."""
        return cls(ActorKind.CLI, workspace_id, frozenset(Permission), os_user=os_user)

    @classmethod
    def requester(cls, workspace_id: UUID, kind: ActorKind, id_: UUID | None) -> Self:
        """Who asked for what a job carries on, for timelines and the audit log.

        It has no permission: what the actor may do was checked then, and the job is the right to carry on.
        """
        is_key = kind is ActorKind.API_KEY
        return cls(kind, workspace_id, frozenset(), user_id=None if is_key else id_, api_key_id=id_ if is_key else None)

    def for_request(self, request_id: str) -> Self:
        """The same actor, making this request."""
        return replace(self, request_id=request_id)

    @property
    def is_operator(self) -> bool:
        """Whether the actor is an instance operator, or acts as one: the command line and the system do."""
        return Permission.INSTANCE in self.permissions

    @property
    def id(self) -> UUID | None:
        """The id of whatever acted: the API key where there is one, else the user."""
        return self.api_key_id or self.user_id

    def require(self, permission: Permission) -> None:
        """Raises: MissingPermission: when the actor lacks `permission`."""
        if permission not in self.permissions:
            raise MissingPermission(permission)
