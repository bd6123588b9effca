"""Actors: who acts, in which workspace, with which permissions."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from leadflood.kernel.errors import Forbidden


class Role(StrEnum):
    """A member's role, from most to least privileged."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


_RANKS = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 2}
"""Owner and admin have the same permissions; rules for owners only (changing other owners) are in identity."""


class _Permissions(type):
    """Metaclass of permissions: iterating over the class gives all of them."""

    known: dict[str, "Permission"]

    def __iter__(cls) -> Iterator["Permission"]:
        return iter(list(cls.known.values()))


class Permission(str, metaclass=_Permissions):  # noqa: SLOT000  it says more than its name
    """Permission of a role; also the scope of an API key. Domains declare theirs: `Permission.declare`.

    `Permission("leads:read")` is the permission of that name. Raises: ValueError: there is none.
    """

    known: ClassVar[dict[str, "Permission"]] = {}
    least_role: Role | None
    """The lowest role that has it; None if no role has it."""
    grantable: bool
    """Whether an API key can have it."""
    label: str
    """Description of an API key scope, for people: `View leads`."""
    area: str
    """The data that it gives access to, for people: `background jobs`."""

    INSTANCE: ClassVar["Permission"]
    """Access to the whole installation. Only instance operators have it, never a role or API key.

    It is the only permission that no domain declares.
    """

    def __new__(cls, name: str) -> "Permission":  # noqa: PYI034  one that is known
        """The permission with a name. Raises: ValueError: there is none."""
        try:
            return cls.known[name]
        except KeyError:
            message = f"There is no permission {name!r}."
            raise ValueError(message) from None

    @classmethod
    def declare(
        cls, name: str, least_role: Role | None, *, grantable: bool = True, label: str = "", area: str = ""
    ) -> "Permission":
        """A new permission. `area`: the first part of its name if not given."""
        made = str.__new__(cls, name)
        made.least_role, made.grantable = least_role, grantable and least_role is not None
        made.label, made.area = label, area or name.partition(":")[0].replace("_", " ")
        return cls.known.setdefault(name, made)

    @property
    def value(self) -> str:
        """Its name."""
        return str(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        """Looked up by name when a value is validated: domains declare permissions after contracts are made."""
        named = core_schema.no_info_plain_validator_function(_named)
        return core_schema.json_or_python_schema(
            named, named, serialization=core_schema.to_string_ser_schema(when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: object, _handler: object) -> dict[str, object]:
        return {"type": "string", "enum": sorted(permission.value for permission in cls)}


def _named(value: object) -> Permission:
    try:
        return Permission(str(value))
    except ValueError:
        names = ", ".join(repr(permission.value) for permission in sorted(Permission))
        raise PydanticKnownError("enum", {"expected": names}) from None


Permission.INSTANCE = Permission.declare("instance", None)


class _RolePermissions(Mapping[Role, frozenset[Permission]]):
    def __getitem__(self, role: Role) -> frozenset[Permission]:
        return _permissions_of(role, len(Permission.known))

    def __iter__(self) -> Iterator[Role]:
        return iter(Role)

    def __len__(self) -> int:
        return len(Role)


@lru_cache(maxsize=100)
def _permissions_of(role: Role, _known: int) -> frozenset[Permission]:
    rank = _RANKS[role]
    return frozenset(each for each in Permission if each.least_role is not None and _RANKS[each.least_role] <= rank)


PERMISSIONS: Mapping[Role, frozenset[Permission]] = _RolePermissions()
"""Permissions of each role: those declared for it or for a lower role."""


class _Scopes(AbstractSet[Permission]):
    def __contains__(self, permission: object) -> bool:
        return isinstance(permission, Permission) and permission.grantable

    def __iter__(self) -> Iterator[Permission]:
        return (permission for permission in Permission if permission.grantable)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @classmethod
    def _from_iterable(cls, permissions: Iterable[Any]) -> frozenset[Any]:
        return frozenset(permissions)


SCOPES: AbstractSet[Permission] = _Scopes()
"""The permissions that an API key can have."""


class MissingPermission(Forbidden):
    """The caller's role or API key lacks the permission."""

    def __init__(self, permission: Permission) -> None:
        """Args: permission: the missing one."""
        message = f"Your role or API key lacks the permission {permission.value!r}."
        if permission is Permission.INSTANCE:
            message = (
                "Only instance operators can do this, signed in with a password. "
                "Your administrator can add you with `leadflood user operator grant EMAIL`."
            )
        super().__init__(message, extra={"requiredPermission": permission.value})
        self.permission = permission


class ActorKind(StrEnum):
    """Authentication method of the caller."""

    USER = "user"
    API_KEY = "api_key"
    CLI = "cli"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of a verb: scopes every read and write, and is named in the audit log.

    Attributes:
        request_id: the request that it makes; None outside of one.
        os_user: the account of the operating system, at the command line.
        automation_id: what acts in the name of the system, such as a rule.
    """

    kind: ActorKind
    workspace_id: UUID
    permissions: frozenset[Permission]
    user_id: UUID | None = None
    role: Role | None = None
    session_id: UUID | None = None
    api_key_id: UUID | None = None
    automation_id: UUID | None = None
    request_id: str | None = field(default=None, compare=False)
    os_user: str | None = field(default=None, compare=False)

    @classmethod
    def system(cls, workspace_id: UUID, *, request_id: str | None = None) -> Self:
        """The worker, acting in the workspace of the job it runs."""
        return cls(ActorKind.SYSTEM, workspace_id, frozenset(Permission), request_id=request_id)

    @classmethod
    def automation(cls, workspace_id: UUID, automation_id: UUID) -> Self:
        """The worker, doing what something that people set up says, such as a rule."""
        return cls(ActorKind.SYSTEM, workspace_id, frozenset(Permission), automation_id=automation_id)

    @classmethod
    def cli(cls, workspace_id: UUID, *, os_user: str | None = None) -> Self:
        """The operator at the machine's command line, who has access to the database anyway."""
        return cls(ActorKind.CLI, workspace_id, frozenset(Permission), os_user=os_user)

    @classmethod
    def requester(cls, workspace_id: UUID, kind: ActorKind, id_: UUID | None) -> Self:
        """The user or key that requested a job, for timelines and the audit log.

        It has no permission: what the actor may do was checked then, and the job is the right to carry on.
        """
        actor = cls(kind, workspace_id, frozenset())
        if kind is ActorKind.API_KEY:
            return replace(actor, api_key_id=id_)
        return replace(actor, automation_id=id_) if kind is ActorKind.SYSTEM else replace(actor, user_id=id_)

    def for_request(self, request_id: str) -> Self:
        """The same actor, for this request."""
        return replace(self, request_id=request_id)

    @property
    def is_operator(self) -> bool:
        """Whether the actor is an instance operator, or acts as one: the command line and the system do."""
        return Permission.INSTANCE in self.permissions

    @property
    def id(self) -> UUID | None:
        """ID of the actor: of the API key if there is one, otherwise of the user, or of what the system does it for."""
        return self.api_key_id or self.user_id or self.automation_id

    def require(self, permission: Permission) -> None:
        """Raises: MissingPermission: the actor lacks `permission`."""
        if permission not in self.permissions:
            raise MissingPermission(permission)
