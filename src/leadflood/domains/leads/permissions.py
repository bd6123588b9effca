"""Permissions of the leads domain."""

from leadflood.kernel.actor import Permission, Role

LEADS_READ = Permission.declare("leads:read", Role.VIEWER, label="View leads and enrichment data")
LEADS_WRITE = Permission.declare("leads:write", Role.MEMBER, label="Create, edit, delete and enrich leads")
PERSONAL_DATA = Permission.declare("personal_data:write", Role.ADMIN, label="Export and erase personal data")
PERMISSIONS = (LEADS_READ, LEADS_WRITE, PERSONAL_DATA)
