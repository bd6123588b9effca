"""Permissions of tags."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

TAGS_READ: Final = Permission.declare("tags:read", Role.VIEWER, label="View tags")
TAGS_WRITE: Final = Permission.declare("tags:write", Role.MEMBER, label="Create and edit tags, and tag leads")
