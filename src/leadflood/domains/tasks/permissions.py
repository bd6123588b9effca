"""Permissions of tasks."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

TASKS_READ: Final = Permission.declare("tasks:read", Role.VIEWER, label="View tasks")
TASKS_WRITE: Final = Permission.declare("tasks:write", Role.MEMBER, label="Create, edit, complete and delete tasks")
