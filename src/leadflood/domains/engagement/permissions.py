"""Permissions of engagement."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

ENGAGEMENT_READ: Final = Permission.declare("engagement:read", Role.VIEWER, label="View the engagement of leads")
ENGAGEMENT_CONFIGURE: Final = Permission.declare(
    "engagement:configure", Role.ADMIN, label="Change half-life, levels and points of engagement"
)
ENGAGEMENT_WRITE: Final = Permission.declare(
    "engagement:write", Role.MEMBER, label="Record and delete engagements of leads"
)
