"""Runs of companies: what a run keeps of its result, and for how long its facts need not be asked for again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.runs import RunResult, StepState
from leadflood.domains.enrichment.models.sources import Source, Speed

WAIT: Final = timedelta(minutes=10)
"""Time for which leads wait for a run at most. Then they complete without it."""
_MIN: Final = timedelta(minutes=10)
_MAX: Final = timedelta(days=30)
_UNKNOWN: Final = timedelta(hours=1)
"""After a run that failed, or of which no source says for how long it holds."""


class CompanyRunState(StrEnum):
    """State of a run: `running →` one of the others, which are those of `RunState`. The values are stored.

    `CANCELED`: the company was deleted or merged meanwhile.
    """

    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    NOTHING = "nothing"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class CompanyRun:
    """A run that has not ended. `wait_until`: as long as leads wait for it."""

    id: UUID
    company_id: UUID
    job_id: UUID
    domain: str
    wait_until: datetime


@dataclass(frozen=True, slots=True)
class CompanyTask:
    """Task of an attempt of a run.

    Attributes:
        given: what is known of the company, its domain included.
        newer_than: see `RunRequest`.
        not_before: of a run that follows another one.
        follow_ups: runs that this one follows.
        free_only: whether sources that charge are left out.
    """

    run_id: UUID
    company_id: UUID
    given: Mapping[FactField, FactValue]
    newer_than: datetime | None
    not_before: datetime | None = None
    follow_ups: int = 0
    free_only: bool = False


@dataclass(frozen=True, slots=True)
class InstantFacts:
    """Facts of a source that answers without waiting, whose answers no lookup of the engine has."""

    source: str
    version: str
    facts: Sequence[Fact]


def instant_facts(result: RunResult, sources: Iterable[Source]) -> list[InstantFacts]:
    """The facts of those of the sources that answer without waiting, in the order of the sources."""
    members = [
        member for values in result.chosen.values() for value in values for member in (*value.agreeing, *value.losers)
    ]
    instant = [source.spec for source in sources if source.spec.speed is Speed.INSTANT]
    found = [
        InstantFacts(spec.name, spec.version, [member.fact for member in members if member.source == spec.name])
        for spec in instant
    ]
    return [each for each in found if each.facts]


def company_sources(sources: Iterable[Source]) -> list[Source]:
    """The sources about companies; none if all of them answer without waiting: then there is nothing to read."""
    found = [source for source in sources if source.spec.subject is SubjectKind.COMPANY]
    return found if any(source.spec.speed is not Speed.INSTANT for source in found) else []


def plan_of(sources: Sequence[Source]) -> str:
    """Name of a set of sources: facts that another set found are not fresh."""
    return ",".join(sorted(f"{source.spec.name}/{source.spec.version}" for source in sources))


def fresh_until(result: RunResult, now: datetime) -> datetime:
    """The time at which the first of the sources has to be asked again."""
    times = [
        step.until or step.expires_at or now + _UNKNOWN
        for step in result.steps
        if step.state is not StepState.SKIPPED or step.until is not None
    ]
    return min(max(min(times, default=now + _UNKNOWN), now + _MIN), now + _MAX)


def failed_until(now: datetime) -> datetime:
    """The time after which a run that failed is repeated for the next lead."""
    return now + _UNKNOWN
