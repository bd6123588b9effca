"""Permissions of notes."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

NOTES_READ: Final = Permission.declare("notes:read", Role.VIEWER, label="View notes")
NOTES_WRITE: Final = Permission.declare("notes:write", Role.MEMBER, label="Write notes, and edit and delete own ones")
NOTES_DELETE: Final = Permission.declare("notes:delete", Role.ADMIN, label="Delete notes of others")
