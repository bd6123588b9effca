"""Audit actions of engagement."""

from enum import StrEnum
from typing import Final

ENGAGEMENT: Final = "engagement"


class EngagementAuditAction(StrEnum):
    """Audit actions of engagement. The names are stable: people filter and alert by them."""

    RECORDED = "engagement.recorded"
    DELETED = "engagement.deleted"
    IMPORTED = "engagement.imported"
    CONFIGURED = "engagement.configured"
