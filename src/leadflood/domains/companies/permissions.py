"""Permissions of companies."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

COMPANIES_READ: Final = Permission.declare("companies:read", Role.VIEWER, label="View companies")
COMPANIES_WRITE: Final = Permission.declare(
    "companies:write", Role.MEMBER, label="Create, edit, merge and split companies, and choose those of leads"
)
