"""Batches: many leads or companies that are enriched together, their states, and how long they may take. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.models.sources import Source, SourceSpec, Speed
from leadflood.domains.jobs.models import cause_of

WINDOW: Final = 500
"""Maximum leads of a batch whose jobs are queued or running. A pause waits only for those that run."""
COMPANY_WINDOW: Final = 50
"""The same for companies, each of which sends requests."""
SAMPLE: Final = 1000
"""Leads that an estimate looks at. Of more, it knows the rest by them."""
MAX_DOMAINS: Final = 5000
"""Domains of one request."""
MAX_REASON: Final = 200
_FIRST_HOST: Final = re.compile(r"^<host>")
_PLACEHOLDER: Final = re.compile(r"<\w+>")
_QUICKEST, _SLOWEST = 20.0, 4.0
"""Companies that are read per second: by a good network, and by a slow one."""
_LEADS: Final = 400.0
"""Leads that are enriched per second where their companies are known."""


class BatchStatus(StrEnum):
    """`running ⇄ paused`, then `completed`, `canceled` or `failed`. A failed one can be resumed."""

    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"


class BatchSubject(StrEnum):
    """Kind of what a batch enriches."""

    LEADS = "leads"
    COMPANIES = "companies"


class Outcome(StrEnum):
    """End of a lead or company of a batch.

    `PARTIAL`: some sources could not be asked or reached. `SKIPPED`: it is known already, or is gone.
    """

    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"


ALREADY_KNOWN: Final = "It is enriched, and its facts are fresh."
UNDER_WAY: Final = "It was being enriched already."
READ_LATER: Final = "Sources that limit requests are asked later."
GONE: Final = "It was deleted meanwhile."


@dataclass(frozen=True, slots=True)
class Settled:
    """A lead or company of a batch whose job has ended. `reason`: why it is not complete, in a sentence."""

    subject_id: UUID
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """Knowledge of some leads or companies, for an estimate.

    Attributes:
        subjects: that were looked at.
        fresh: of these, those that would be skipped.
        companies: that would be read.
    """

    subjects: int
    fresh: int
    companies: int


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds that a batch takes, if the network is good and if it is slow."""

    least: int
    most: int


def group_reason(outcome: Outcome, sentence: str) -> tuple[Outcome, str]:
    """The group of a reason: the same for different domains, numbers and times."""
    cause = _FIRST_HOST.sub("The website", cause_of(sentence))
    return outcome, _PLACEHOLDER.sub("…", cause)[:MAX_REASON]


def counted_reasons(settled: Iterable[Settled]) -> Mapping[tuple[Outcome, str], int]:
    """Numbers by outcome and reason."""
    return Counter(group_reason(item.outcome, item.reason) for item in settled if item.reason)


def scaled(survey: Survey, total: int) -> Survey:
    """The survey of all, of which some were looked at."""
    if not survey.subjects or total <= survey.subjects:
        return survey
    factor = total / survey.subjects
    return Survey(total, round(survey.fresh * factor), round(survey.companies * factor))


def calls_of(companies: int, sources: Sequence[Source]) -> dict[str, int]:
    """The most questions that each source is asked, by name; those that send no request are left out."""
    return {source.spec.name: companies for source in sources if source.spec.speed is not Speed.INSTANT}


def duration_of(leads: int, companies: int, sources: Sequence[Source]) -> Duration:
    """How long that many leads of that many companies take.

    The least: no register is needed. The most: each is asked about each company, as often as it permits.
    """
    rated = [_seconds_for(companies, source.spec) for source in sources]
    own = leads / _LEADS
    return Duration(round(own + companies / _QUICKEST), round(own + max([companies / _SLOWEST, *rated])))


def _seconds_for(questions: int, spec: SourceSpec) -> float:
    return 0.0 if spec.rate is None else questions * spec.rate.seconds / spec.rate.calls
