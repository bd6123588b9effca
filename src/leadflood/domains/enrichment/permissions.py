"""Permissions of enrichment."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

ENRICHMENT_WRITE: Final = Permission.declare(
    "enrichment:write", Role.ADMIN, label="Change which found values fill the fields of leads"
)
