"""Runs of leads: what the sources about a person answered, without those that answer immediately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from leadflood.domains.enrichment.models.policies import ChoiceRules
from leadflood.domains.enrichment.models.runs import RunResult, StepState

StoredStep: TypeAlias = Mapping[str, Any]
"""See `leadflood.domains.enrichment.models.follow_ups.stored_step`."""
_ANSWERS: Final = frozenset({StepState.FOUND, StepState.MISSED, StepState.REFUSED})


@dataclass(frozen=True, slots=True)
class LeadRun:
    """A run that has ended.

    Attributes:
        newer_than: see `RunRequest`.
        follow_ups: runs that this one follows, because their sources asked for patience.
        earlier: steps of those, as they are stored, of sources that this one has not asked.
    """

    lead_id: UUID
    result: RunResult
    newer_than: datetime
    follow_ups: int = 0
    earlier: Sequence[StoredStep] = ()


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """A run that follows another one, not before a time. `steps`: of that one, as they are stored."""

    newer_than: datetime
    follow_ups: int
    not_before: datetime
    steps: Sequence[StoredStep]

    @property
    def answered(self) -> list[StoredStep]:
        """Steps of sources that are not asked again: more is known now, so that it would be another question."""
        return [step for step in self.steps if step["state"] in _ANSWERS]


@dataclass(frozen=True, slots=True)
class FollowUpEnd:
    """A run that followed another one has ended. `rules`: by which values are chosen."""

    run: LeadRun
    rules: ChoiceRules
