"""Permissions of profiles."""

from typing import Final

from leadflood.kernel.actor import Permission, Role

ICPS_READ: Final = Permission.declare(
    "icps:read", Role.VIEWER, label="View profiles and scores, and the facts they use"
)
ICPS_WRITE: Final = Permission.declare("icps:write", Role.MEMBER, label="Create profiles and edit their drafts")
ICPS_PUBLISH: Final = Permission.declare("icps:publish", Role.ADMIN, label="Publish, roll back and delete profiles")
OUTCOMES_WRITE: Final = Permission.declare("outcomes:write", Role.MEMBER, label="Record and delete outcomes of leads")
