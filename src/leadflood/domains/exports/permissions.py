"""Permissions of exports."""

from leadflood.kernel.actor import Permission, Role

LEADS_EXPORT = Permission.declare("leads:export", Role.MEMBER, label="Export leads as files")
