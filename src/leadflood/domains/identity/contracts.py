"""Inputs and outputs of identity, with all validation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, Strict, ValidationInfo, field_validator

from leadflood.domains.identity.models import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    Appearance,
    Authenticated,
    SessionKind,
    acceptable_password,
    preferred_locale,
    preferred_time_zone,
)
from leadflood.kernel.actor import SCOPES, ActorKind, Permission, Role
from leadflood.kernel.email_address import MAX_EMAIL_OCTETS, EmailAddress, parse_email
from leadflood.kernel.locales import MAX_LOCALE
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line
from leadflood.kernel.timestamps import Timestamp

MAX_NAME = 200
MAX_TOKEN = 200
_MAX_TRIED = 1024
"""Maximum length of a password that login hashes. Longer ones cannot be right."""


def _unlike_email(password: str, info: ValidationInfo) -> str:
    email = info.data.get("email")
    return password if email is None else acceptable_password(password, email.display)


Email = Annotated[EmailAddress, FromText(parse_email, {"format": "email", "maxLength": MAX_EMAIL_OCTETS})]
Name = Annotated[str, line(MAX_NAME)]
NewPassword = Annotated[
    str,
    FromText(acceptable_password, {"format": "password", "minLength": MIN_PASSWORD, "maxLength": MAX_PASSWORD}),
]
PasswordBesideEmail = Annotated[NewPassword, AfterValidator(_unlike_email)]
"""A new password, in a contract whose field `email` comes before it."""
TriedPassword = Annotated[str, Field(min_length=1, max_length=_MAX_TRIED, json_schema_extra={"format": "password"})]
Id = Annotated[UUID, Strict(strict=False)]
AnyRole = Annotated[Role, Strict(strict=False)]
TimeZone = Annotated[str, FromText(preferred_time_zone, {"maxLength": 64})]
PreferredLocale = Annotated[str, FromText(preferred_locale, {"maxLength": MAX_LOCALE})]

_USER_ID = "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"
_WORKSPACE_ID = "0197a3a9-1c2a-7d11-8f0e-1a2b3c4d5e6f"
_SESSION_ID = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"
_KEY_ID = "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11"
_TIME = "2026-03-01T09:30:00Z"


def _example(**fields: Any) -> ConfigDict:  # noqa: ANN401  JSON of any shape
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Login(Schema):
    """Sign-in credentials. `workspaceId` defaults to the workspace the user joined first."""

    model_config = _example(email="owner@leadflood.local", password="the password that `up` printed")  # noqa: S106

    email: Email
    password: TriedPassword = Field(repr=False)
    workspace_id: Id | None = None


class Refresh(Schema):
    """A refresh token, which works once."""

    model_config = _example(refreshToken="lfr_Zk3v…")

    refresh_token: Annotated[str, Field(repr=False, min_length=1, max_length=MAX_TOKEN)]


class ChangePassword(Schema):
    """A new password, 12 to 128 characters. Ends all other sessions in all workspaces; API keys are kept."""

    model_config = _example(currentPassword="what you sign in with now", newPassword="correct horse battery staple")

    current_password: TriedPassword = Field(repr=False)
    new_password: NewPassword = Field(repr=False)


class ChangeEmail(Schema):
    """A new email to sign in with, after a link sent to it is confirmed. Sessions and API keys are kept."""

    email: Email
    current_password: TriedPassword = Field(repr=False)


class UpdateMe(Schema):
    """Your name and preferences. Omitted and null fields are kept."""

    model_config = _example(name="Ada Lovelace", appearance="dark", timeZone="Europe/London", locale="en-GB")

    name: Name | None = None
    appearance: Annotated[Appearance, Strict(strict=False)] | None = None
    time_zone: TimeZone | None = None
    locale: PreferredLocale | None = None


class RenameWorkspace(Schema):
    """A new name for the workspace."""

    model_config = _example(name="Acme growth")

    name: Name


class AddMember(Schema):
    """Adds the user with this email as a member."""

    email: Email
    role: AnyRole


class ChangeRole(Schema):
    """A member's new role."""

    model_config = _example(role="admin")

    role: AnyRole


class CreateApiKey(Schema):
    """An API key. Its token is returned only once. It never has more access than its creator currently has."""

    model_config = _example(name="Web form", scopes=["leads:write"], expiresAt="2027-03-01T00:00:00Z")

    name: Name
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=50)]
    expires_at: Timestamp | None = None

    @field_validator("scopes")
    @classmethod
    def _only_scopes(cls, scopes: list[Permission]) -> list[Permission]:
        if not set(scopes) <= SCOPES:
            message = "API keys cannot carry `account` or `instance`: those are for people who sign in."
            raise InvalidValue(message, "not_allowed")
        return sorted(set(scopes))


class CreateUser(Schema):
    """A new user, without a workspace."""

    email: Email
    name: Name
    password: PasswordBesideEmail = Field(repr=False)


class CreateWorkspace(Schema):
    """A new workspace with its first owner, an existing user."""

    name: Name
    owner_email: Email


class SetPassword(Schema):
    """A new password set by an operator."""

    email: Email
    password: PasswordBesideEmail = Field(repr=False)


class SetUp(Schema):
    """Input of the first owner in the browser after the first start."""

    name: Name
    email: Email
    password: PasswordBesideEmail = Field(repr=False)
    workspace: Name


class UserView(View):
    """A user."""

    model_config = _example(id=_USER_ID, email="ada@acme.com", name="Ada Lovelace")

    id: UUID
    email: str
    name: str


class ProfileView(UserView):
    """A user with preferences."""

    model_config = _example(
        id=_USER_ID, email="ada@acme.com", name="Ada", appearance="system", timeZone="Europe/London", locale="auto"
    )

    appearance: Appearance
    time_zone: str = Field(description="IANA time zone; `auto`: that of the browser.")
    locale: str = Field(description="BCP 47 tag that sets the formats of numbers and dates; `auto`: the browser's.")


class MembershipView(View):
    """A workspace and the user's role in it."""

    model_config = _example(id=_WORKSPACE_ID, name="My workspace", role="owner")

    id: UUID
    name: str
    role: Role


class TokensView(View):
    """Bearer tokens (RFC 6750) of a session. Lifetimes are in seconds."""

    access_token: str = Field(repr=False, examples=["lfa_9sQm…"])
    refresh_token: str = Field(repr=False, examples=["lfr_Zk3v…"])
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  a scheme, not a password
    expires_in: int = Field(examples=[900])
    refresh_expires_in: int = Field(examples=[2_592_000])


class LoginView(TokensView):
    """A new session: tokens, user, workspace, and the user's other workspaces."""

    user: UserView
    workspace: MembershipView
    workspaces: list[MembershipView]


class BrowserSession(View):
    """A new browser session: its token, which is only in this response, and its workspace."""

    token: str = Field(repr=False)
    user_id: UUID
    workspace: MembershipView


class BrowserLogin(BrowserSession):
    """A browser session after a login: its user, and the user's other workspaces."""

    user: UserView
    workspaces: list[MembershipView]


class VisitorView(ProfileView):
    """The reader of a page: the user, the current workspace, and the others to switch to."""

    workspace: MembershipView
    workspaces: list[MembershipView]


@dataclass(frozen=True, slots=True)
class BrowserVisit(Authenticated):
    """A browser with an active session, and the reader's data for pages."""

    visitor: VisitorView


class MeView(View):
    """The caller and its permissions. For an API key, `user` is its creator."""

    kind: ActorKind
    user: ProfileView
    workspace: MembershipView
    role: Role
    is_operator: bool = Field(description="Whether the caller is an instance operator. Never true for API keys.")
    permissions: list[Permission]
    workspaces: list[MembershipView]


class SessionView(View):
    """One of your active sessions in this workspace."""

    model_config = _example(
        id=_SESSION_ID,
        current=True,
        ip="192.0.2.7",
        userAgent="Mozilla/5.0",
        createdAt=_TIME,
        lastUsedAt=_TIME,
        expiresAt="2026-03-31T09:30:00Z",
    )

    id: UUID
    current: bool = Field(description="Whether it is the session of this request.")
    ip: str | None
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime = Field(description="Accurate to the minute.")
    expires_at: datetime


class OwnSessionView(SessionView):
    """An active session of the caller in any workspace."""

    kind: SessionKind
    workspace_id: UUID
    workspace_name: str


class WorkspaceView(View):
    """A workspace."""

    model_config = _example(id=_WORKSPACE_ID, name="My workspace", createdAt=_TIME, updatedAt=_TIME)

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


class MemberView(View):
    """A member of the workspace. `id` is the user ID."""

    model_config = _example(
        id=_USER_ID, email="ada@acme.com", name="Ada Lovelace", role="owner", disabled=False, createdAt=_TIME
    )

    id: UUID
    email: str
    name: str
    role: Role
    disabled: bool = Field(description="Whether the user has been disabled.")
    created_at: datetime = Field(description="When the user joined the workspace.")


class ApiKeyView(View):
    """An API key, without its token."""

    model_config = _example(
        id=_KEY_ID,
        name="Web form",
        prefix="lf_live_4kQ0",
        scopes=["leads:write"],
        createdBy=_USER_ID,
        createdAt=_TIME,
        expiresAt=None,
        lastUsedAt=_TIME,
        revokedAt=None,
    )

    id: UUID
    name: str
    prefix: str = Field(description="First 12 characters of the token.")
    scopes: list[str]
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="Accurate to the minute; null if never used.")
    revoked_at: datetime | None


class ApiKeyCreated(View):
    """A new API key with its token, which is returned only once."""

    api_key: ApiKeyView
    token: str = Field(repr=False, examples=["lf_live_4kQ0…"])


class AuditActorView(View):
    """Actor; `id` is null for the CLI and the system."""

    kind: ActorKind
    id: UUID | None


class AuditEventView(View):
    """A privileged change."""

    model_config = _example(
        id=_KEY_ID,
        at=_TIME,
        actor={"kind": "user", "id": _USER_ID},
        action="member.role_changed",
        subjectType="member",
        subjectId=_USER_ID,
        data={"from": "member", "to": "admin"},
        requestId="b1946ac92492d2347c6235b4d2611184",
    )

    id: UUID
    at: datetime
    actor: AuditActorView
    action: str
    subject_type: str
    subject_id: UUID | None
    data: dict[str, JsonValue]
    request_id: str | None


class UserSummary(View):
    """A user, as shown to the operator at the command line."""

    id: UUID
    email: str
    name: str
    is_operator: bool
    disabled_at: datetime | None
    created_at: datetime
