"""Permissions of enrichment."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

SOURCES_WRITE: Final = Permission.declare(
    "sources:write", Role.ADMIN, label="Set keys of providers, and enable their sources"
)
ENRICHMENT_WRITE: Final = Permission.declare(
    "enrichment:write", Role.ADMIN, label="Change which found values fill the fields of leads"
)
