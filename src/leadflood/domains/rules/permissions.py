"""Permissions of rules."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

RULES_READ: Final = Permission.declare("rules:read", Role.VIEWER, label="View rules and what they did")
RULES_WRITE: Final = Permission.declare("rules:write", Role.ADMIN, label="Create, change and delete rules")
