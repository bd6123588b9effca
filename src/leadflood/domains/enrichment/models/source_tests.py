"""Tests of a source: one call about a lead or company, to see what it sends and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.runs import Step


@dataclass(frozen=True, slots=True)
class SourceTestCall:
    """A request to a provider, and its reply. The key is removed from all texts.

    Attributes:
        method: of HTTP.
        url: with its query.
        headers: that the source has set.
        body: as JSON; None: nothing was sent.
        status: of HTTP; None: there is no reply that can be read.
        reply: the start of the body, or why there is none.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    status: int | None
    reply: str


@dataclass(frozen=True, slots=True)
class SourceTestResult:
    """The answer of a source. `calls`: none if an earlier answer was used. `lookup_ids`: of the answer."""

    step: Step
    facts: Sequence[Fact] = ()
    calls: Sequence[SourceTestCall] = ()
    lookup_ids: frozenset[UUID] = frozenset()
