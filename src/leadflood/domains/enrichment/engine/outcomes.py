"""Results of calls: what is stored of each, and the step that a run shows for it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from leadflood.domains.enrichment.models.answers import (
    Answer,
    Away,
    Busy,
    Found,
    Missed,
    Objected,
    OutOfCredits,
    Refused,
    SourceFailure,
    Ticket,
)
from leadflood.domains.enrichment.models.lookups import LookupOutcome, LookupState, away_for
from leadflood.domains.enrichment.models.runs import Step, StepState
from leadflood.domains.enrichment.models.sources import SourceSpec

_TICKET_KEPT: Final = timedelta(days=30)
_NEVER_AGAIN: Final = timedelta(days=36_500)
_SPREAD: Final = 0.4
"""Answers that came together do not all expire together: each lives 80 to 120 % of its time."""
_MAX_BYTE: Final = 255
_STATES: Final = {
    LookupState.FOUND: StepState.FOUND,
    LookupState.MISSED: StepState.MISSED,
    LookupState.REFUSED: StepState.REFUSED,
    LookupState.AWAY: StepState.AWAY,
    LookupState.WAITING: StepState.WAITING,
}


@dataclass(frozen=True, slots=True)
class SourceFault:
    """A call that ended with an error of our own. `sentence`: for users."""

    sentence: str


CallResult: TypeAlias = Answer | SourceFailure | SourceFault


def stored_outcome(
    spec: SourceSpec, result: CallResult, *, now: datetime, former: LookupOutcome | None, spread: int
) -> LookupOutcome | None:
    """The part of a result that is stored; None where the same question may be asked again at any time.

    `former` is the outcome before, of the same question; by `spread`, 0 to 255, the lifetimes of answers differ.
    """
    match result:
        case Found(facts, note, units, ref, pages):
            end = now + spec.ttl_hit * (1 - _SPREAD / 2 + _SPREAD * spread / _MAX_BYTE)
            found = LookupOutcome(LookupState.FOUND, now, end, tuple(facts), note, units=units, provider_ref=ref)
            outcome = replace(found, pages=tuple(pages))
        case Missed(reason, keep_for, units, ref):
            end = now + (spec.ttl_miss if keep_for is None else keep_for)
            outcome = LookupOutcome(LookupState.MISSED, now, end, sentence=reason, units=units, provider_ref=ref)
        case Ticket():
            end = now + _TICKET_KEPT
            outcome = LookupOutcome(LookupState.WAITING, now, end, ticket=result, units=result.units)
        case Refused():
            end = now + (spec.ttl_miss if result.keep_for is None else result.keep_for)
            outcome = LookupOutcome(LookupState.REFUSED, now, end, sentence=result.sentence)
        case Objected():
            outcome = LookupOutcome(LookupState.REFUSED, now, now + _NEVER_AGAIN, sentence=result.sentence)
        case Away() if not spec.one_service:  # of one service, the breaker knows that it is down
            failures = (0 if former is None else former.failures) + 1
            end = now + away_for(failures)
            outcome = LookupOutcome(LookupState.AWAY, now, end, sentence=result.sentence, failures=failures)
        case _:
            return None
    return outcome


def step_of_outcome(spec: SourceSpec, outcome: LookupOutcome, seconds: float, *, stored: bool) -> Step:
    """The step of an answer. Args: stored: whether it is of an earlier run."""
    until = None if outcome.ticket is None else outcome.ticket.not_before
    return Step(
        spec.name,
        spec.label,
        _STATES[outcome.state],
        _sentence(outcome),
        facts=len(outcome.facts),
        seconds=seconds,
        stored=stored,
        until=until,
        expires_at=outcome.expires_at,
    )


def step_of_failure(spec: SourceSpec, result: CallResult, seconds: float) -> Step:
    """The step of a result that is not stored."""
    sentence = result.sentence if isinstance(result, SourceFailure | SourceFault) else ""
    if isinstance(result, Busy | OutOfCredits):
        return Step(spec.name, spec.label, StepState.WAITING, sentence, seconds=seconds, until=result.until)
    state = StepState.AWAY if isinstance(result, Away) else StepState.FAILED
    return Step(spec.name, spec.label, state, sentence, seconds=seconds)


def _sentence(outcome: LookupOutcome) -> str:
    if outcome.state is LookupState.WAITING:
        return "The answer is being prepared."
    if outcome.sentence or outcome.state is not LookupState.FOUND:
        return outcome.sentence
    count = len(outcome.facts)
    return f"Found {count} {'value' if count == 1 else 'values'}."
