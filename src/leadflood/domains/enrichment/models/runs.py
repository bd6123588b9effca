"""Runs: what is asked about one subject, and how each source answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from leadflood.domains.enrichment.models.choosing import ChosenFact, FactCandidate
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.worth import Worth

TIME_LIMIT: Final = timedelta(seconds=45)
"""Of a run, unless another one is asked for."""


class StepState(StrEnum):
    """Answer of a source, in a word. The values are stored.

    `ASKING`: in a run that has not ended. `WAITING`: it is to be asked again at `Step.until`. `AWAY`: it could not be
    reached. `FAILED`: a fault of ours, or of the operator's settings.
    """

    ASKING = "asking"
    FOUND = "found"
    MISSED = "missed"
    REFUSED = "refused"
    WAITING = "waiting"
    AWAY = "away"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One source in a run.

    Attributes:
        source: its name.
        label: its name for people.
        state: how it answered.
        sentence: the answer in a sentence, for people.
        facts: number of values.
        seconds: that it took, waiting included.
        stored: whether an earlier answer was used, and nothing was asked.
        until: when it can be asked again, if it waits, or could not be asked now.
        expires_at: until then, its answer is used again.
        avoided: whether it was not asked because its answer could change nothing.
        avoided_units: those that this has saved at most; 0 if an earlier source of the run would have been enough.
        avoided_micros: their price, in `avoided_currency`.
    """

    source: str
    label: str
    state: StepState
    sentence: str
    facts: int = 0
    seconds: float = 0.0
    stored: bool = False
    until: datetime | None = None
    expires_at: datetime | None = None
    avoided: bool = False
    avoided_units: int = 0
    avoided_micros: int = 0
    avoided_currency: str | None = None


class RunState(StrEnum):
    """End of a run. The values are stored.

    `PARTIAL`: some sources could not be asked or reached; what the others found is used. `FAILED`: nothing was found,
    because sources could not be asked or reached. `NOTHING`: every source answered, and none had a value.
    """

    COMPLETED = "completed"
    PARTIAL = "partial"
    NOTHING = "nothing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Task of a run.

    Attributes:
        subject: kind of the subject.
        given: values that a person or a file wrote. They are read by sources, win, and are never replaced.
        wanted: fields to find.
        policy: order of sources, and how sure values have to be.
        time_limit: after it, no source is asked, and those that are being asked are stopped.
        newer_than: sources are asked again for what they gave before that time, and if they could not be reached.
        stored: values of earlier runs, which compete. Those from before `newer_than` satisfy no field.
        worth: by which paid sources are left out; None: all are asked.
    """

    subject: SubjectKind
    given: Mapping[FactField, FactValue]
    wanted: frozenset[FactField]
    policy: Policy = field(default_factory=Policy)
    time_limit: timedelta = TIME_LIMIT
    newer_than: datetime | None = None
    stored: Sequence[FactCandidate] = ()
    worth: Worth | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a run. `steps`: asked sources in order, then those that were skipped."""

    state: RunState
    chosen: Mapping[FactField, Sequence[ChosenFact]]
    steps: Sequence[Step]
    seconds: float

    @property
    def sentence(self) -> str:
        """The result in a sentence (`run_sentence`)."""
        return run_sentence(self.steps, sum(len(values) for values in self.chosen.values()))


_MISSING: Final = frozenset({StepState.REFUSED, StepState.AWAY, StepState.WAITING, StepState.FAILED})


def run_sentence(steps: Sequence[Step], values: int) -> str:
    """The result of a run in a sentence, for people: why something is missing, or how many values there are."""
    missing = [step.sentence for step in steps if step.state in _MISSING]
    if missing:
        return " ".join(dict.fromkeys(missing))
    if values:
        return f"Found {values} {'value' if values == 1 else 'values'}."
    missed = [step.sentence for step in steps if step.state is StepState.MISSED]
    return " ".join(dict.fromkeys(missed)) or "There was nothing to find."


_UNANSWERED: Final = frozenset({StepState.WAITING, StepState.AWAY, StepState.FAILED, StepState.REFUSED})


def run_state(chosen: Mapping[FactField, Sequence[ChosenFact]], steps: Sequence[Step]) -> RunState:
    """End of a run with these steps."""
    asked = [step.state for step in steps if step.state is not StepState.SKIPPED]
    if chosen:
        return RunState.PARTIAL if _UNANSWERED & {*asked} else RunState.COMPLETED
    return RunState.FAILED if _UNANSWERED & {*asked} else RunState.NOTHING
