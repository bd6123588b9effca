"""Which sources are asked next. Pure: it sees what is known and chosen, and never asks.

A wave has, for each wanted field that is not satisfied, its next source in the order of the policy whose needs are met.
Sources that answer without waiting come first, then the free ones, together; a paid one is asked only for a field for
which no free source is left, one after the other. A source is asked at most once in a run.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from leadflood.domains.enrichment.models.breakers import Breaker, BreakerState
from leadflood.domains.enrichment.models.choosing import ChosenFact
from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.questions import KnownFact, meets
from leadflood.domains.enrichment.models.sources import Charge, SourceSpec, Speed

_NO_PAGES: Final = "It reads the pages of the website, and none are kept. Enrich again to read them."


class SkipKind(StrEnum):
    """Reason why a source was not asked. The values are stored."""

    SATISFIED = "satisfied"
    NEEDS = "needs"
    UNAVAILABLE = "unavailable"
    NO_TIME = "no_time"
    NOT_WANTED = "not_wanted"
    POINTLESS = "pointless"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A source that was not asked. `sentence`: why, for users. `until`: when it can be, if not now."""

    kind: SkipKind
    sentence: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlanState:
    """Everything that a plan depends on.

    Attributes:
        specs: the sources for this kind of subject.
        wanted: fields.
        known: values that may be read by sources, by field: given ones and chosen ones.
        given: fields that a person has filled in, which need no source.
        chosen: chosen values so far.
        asked: names of the sources that were asked already.
        breakers: by source; a missing one is closed.
        has_pages: whether there are pages for sources that read those of others.
        pointless: paid sources whose answers could change nothing, with the reason.
        now: the present time.
        deadline: of the run.
    """

    specs: Sequence[SourceSpec]
    wanted: frozenset[FactField]
    known: Mapping[FactField, Sequence[KnownFact]]
    given: frozenset[FactField]
    chosen: Mapping[FactField, Sequence[ChosenFact]]
    asked: Collection[str]
    policy: Policy
    now: datetime
    deadline: datetime
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    has_pages: bool = False
    pointless: Mapping[str, str] = field(default_factory=dict)


class _Stage(IntEnum):
    """Sources of a later stage are asked when those of the earlier ones have nothing left to give for the field."""

    INSTANT = 0
    FREE = 1
    PAID = 2


def next_wave(state: PlanState) -> tuple[SourceSpec, ...]:
    """The sources to ask together now, in the order of the policy; empty when the run is complete."""
    if state.now >= state.deadline:
        return ()
    possible = [spec for spec in state.specs if _is_possible(state, spec)]
    picked: dict[str, SourceSpec] = {}
    for wanted in unsatisfied(state):
        steps = state.policy.steps(wanted, possible)
        if steps:
            spec = min(steps, key=_stage)
            picked[spec.name] = spec
    if not picked:
        return ()
    stage = min(map(_stage, picked.values()))
    wave = [spec for spec in picked.values() if _stage(spec) is stage]
    wave.sort(key=lambda spec: state.policy.rank(spec.name))
    return tuple(wave[:1] if stage is _Stage.PAID else wave)


def is_paid(spec: SourceSpec) -> bool:
    """Whether a call of the source can cost money."""
    return _stage(spec) is _Stage.PAID


def unsatisfied(state: PlanState) -> frozenset[FactField]:
    """The wanted fields that need another source."""
    return frozenset(wanted for wanted in state.wanted if not _is_satisfied(state, wanted))


def skipped(state: PlanState) -> dict[str, Skipped]:
    """The sources that were not asked by the end of a run, with the reason."""
    return {spec.name: _skipped(state, spec) for spec in state.specs if spec.name not in state.asked}


def _is_satisfied(state: PlanState, wanted: FactField) -> bool:
    if wanted in state.given:
        return True
    threshold = state.policy.threshold(wanted)
    return any(value.confidence >= threshold for value in state.chosen.get(wanted, ()))


def _is_possible(state: PlanState, spec: SourceSpec) -> bool:
    return (
        spec.name not in state.asked
        and spec.name not in state.pointless
        and meets(spec.needs, state.known)
        and not _is_open(state, spec)
        and (state.has_pages or not spec.reads_pages)
        and state.deadline - state.now >= timedelta(seconds=spec.least_seconds)
    )


def _is_open(state: PlanState, spec: SourceSpec) -> bool:
    breaker = state.breakers.get(spec.name)
    return breaker is not None and breaker.state(state.now) is BreakerState.OPEN


def _stage(spec: SourceSpec) -> _Stage:
    if spec.charges is not Charge.NEVER or spec.speed is Speed.PAID:
        return _Stage.PAID
    return _Stage.INSTANT if spec.speed is Speed.INSTANT else _Stage.FREE


def _skipped(state: PlanState, spec: SourceSpec) -> Skipped:
    wanted = spec.gives & state.wanted
    if not wanted:
        return Skipped(SkipKind.NOT_WANTED, "It has none of the wanted fields.")
    if not wanted & unsatisfied(state):
        return Skipped(SkipKind.SATISFIED, "What it has is known already.")
    if not meets(spec.needs, state.known):
        return Skipped(SkipKind.NEEDS, needs_sentence(spec))
    if spec.reads_pages and not state.has_pages:
        return Skipped(SkipKind.NEEDS, _NO_PAGES)
    if _is_open(state, spec):
        breaker = state.breakers[spec.name]
        return Skipped(SkipKind.UNAVAILABLE, breaker.reason, breaker.open_until)
    pointless = state.pointless.get(spec.name)
    no_time = Skipped(SkipKind.NO_TIME, "There was no time left for it.", state.now)
    return no_time if pointless is None else Skipped(SkipKind.POINTLESS, pointless)


def needs_sentence(spec: SourceSpec) -> str:
    """The sentence for a source that lacks values to be asked by."""
    sets = [" and ".join(sorted(each.label for each in needed)) for needed in spec.needs]
    return f"It needs {' or '.join(sets)}, which is not known."
