"""Domain events and audit actions of stages."""

from enum import StrEnum
from typing import Final

from leadflood.kernel.events import EventData, EventType

STAGE: Final = "stage"


class StageData(EventData):
    """No data besides the stage itself."""


STAGE_CREATED = EventType("stage.created.v1", STAGE, StageData, "A stage of leads was created.")
STAGE_UPDATED = EventType("stage.updated.v1", STAGE, StageData, "A stage was renamed, moved, archived or restored.")
EVENTS = (STAGE_CREATED, STAGE_UPDATED)


class StageAuditAction(StrEnum):
    """Audit actions of stages. The names are stable: users filter and alert by them."""

    CREATED = "stage.created"
    UPDATED = "stage.updated"
