"""Audit actions of identity. The names are stable: people filter and alert by them."""

from enum import StrEnum


class IdentityAuditAction(StrEnum):
    """A privileged change. Failed logins are logged and counted, not audited: see `service.signin`."""

    SESSION_STARTED = "session.started"
    SESSION_ENDED = "session.ended"
    OTHER_SESSIONS_ENDED = "session.others_ended"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105  a name, not a password
    PASSWORD_SET = "password.set"  # noqa: S105  as above
    WORKSPACE_CREATED = "workspace.created"
    WORKSPACE_RENAMED = "workspace.renamed"
    WORKSPACE_SET_UP = "workspace.set_up"
    MEMBER_ADDED = "member.added"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_REMOVED = "member.removed"
    AUDIT_PURGED = "audit.purged"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"
    USER_CREATED = "user.created"
    USER_RENAMED = "user.renamed"
    USER_EMAIL_CHANGED = "user.email_changed"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    OPERATOR_GRANTED = "user.operator_granted"
    OPERATOR_REVOKED = "user.operator_revoked"
    HOLD_OPENED = "hold.opened"
    HOLD_CLOSED = "hold.closed"
    SECRET_KEY_ROTATED = "secret_key.rotated"  # noqa: S105  a name, not a key
    USER_UNLOCKED = "user.unlocked"


class AuditSubject(StrEnum):
    """Subject of an audited action."""

    SESSION = "session"
    USER = "user"
    WORKSPACE = "workspace"
    MEMBER = "member"
    API_KEY = "api_key"
    HOLD = "hold"
    SECRET_KEY = "secret_key"  # noqa: S105  as above
