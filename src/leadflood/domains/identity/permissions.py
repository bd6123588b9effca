"""Permissions of the identity domain."""

from leadflood.kernel.actor import Permission, Role

_WORKSPACE = "workspace settings"
_KEYS = "API keys"

WORKSPACE_READ = Permission.declare("workspace:read", Role.VIEWER, label="View workspace settings", area=_WORKSPACE)
WORKSPACE_WRITE = Permission.declare(
    "workspace:write", Role.ADMIN, label="Rename the workspace and edit custom fields", area=_WORKSPACE
)
MEMBERS_READ = Permission.declare("members:read", Role.VIEWER, label="View members and invitations")
MEMBERS_WRITE = Permission.declare("members:write", Role.ADMIN, label="Invite, edit and remove members")
KEYS_READ = Permission.declare("keys:read", Role.ADMIN, label="View API keys", area=_KEYS)
KEYS_WRITE = Permission.declare("keys:write", Role.ADMIN, label="Create and revoke API keys", area=_KEYS)
AUDIT_READ = Permission.declare("audit:read", Role.ADMIN, label="View the audit log", area="the audit log")
ACCOUNT = Permission.declare("account", Role.VIEWER, grantable=False)
"""One's own profile, password and sessions. Only people have it, never API keys."""
PERMISSIONS = (
    WORKSPACE_READ,
    WORKSPACE_WRITE,
    MEMBERS_READ,
    MEMBERS_WRITE,
    KEYS_READ,
    KEYS_WRITE,
    AUDIT_READ,
    ACCOUNT,
)
