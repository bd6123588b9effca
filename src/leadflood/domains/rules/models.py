"""Rules: triggers, actions and limits."""

from enum import StrEnum
from typing import Final

MAX_RULES: Final = 50
"""Rules of one workspace."""
MAX_NAME: Final = 100
MAX_ACTIONS: Final = 10
MAX_DEPTH: Final = 3
"""Rules that follow from each other: changes of a tier that the third one causes run no rule."""
EXAMPLES: Final = 20
"""Leads that a dry run names."""


class Trigger(StrEnum):
    """Change of a tier that runs a rule."""

    ENTERS = "enters"
    LEAVES = "leaves"


class ActionType(StrEnum):
    """Action of a rule on a lead."""

    ASSIGN_OWNER = "assignOwner"
    SET_STAGE = "setStage"
    ADD_TO_LIST = "addToList"
    ADD_TAG = "addTag"


SINGLE: Final = frozenset({ActionType.ASSIGN_OWNER, ActionType.SET_STAGE})
"""Actions that a rule has once at most: a lead has one owner and one stage."""


class RunOutcome(StrEnum):
    """Result of running a rule on a lead."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
