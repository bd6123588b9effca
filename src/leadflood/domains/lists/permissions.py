"""Permissions of lists."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

LISTS_READ: Final = Permission.declare("lists:read", Role.VIEWER, label="View lists")
LISTS_WRITE: Final = Permission.declare("lists:write", Role.MEMBER, label="Create and edit lists, and their members")
