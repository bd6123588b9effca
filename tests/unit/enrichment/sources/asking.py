"""Questions to sources, and their answers, in tests."""

from collections.abc import Mapping
from datetime import timedelta

from leadflood.domains.enrichment.models import (
    Answer,
    Fact,
    FactField,
    FactValue,
    Fetcher,
    Found,
    Question,
    Source,
)
from leadflood.domains.enrichment.models.questions import KnownFact
from leadflood.domains.enrichment.models.read_pages import ReadPage
from tests.support.canned_web import NOW
from tests.support.receipts import require_plain

PAGES = (
    ReadPage("https://acme.com/", 'Home\nAcme GmbH makes tools for "smart" factories.\nSince 1987.', NOW),
    ReadPage("https://acme.com/about", "Home\nOur 1,200 people work in Berlin, Germany.\nIndustry:\n Tools", NOW),
)
"""Pages that another source has read."""


def question(source: Source, known: Mapping[FactField, FactValue], *, seconds: float = 60) -> Question:
    """A question with given values, as the engine would ask it."""
    facts = {
        field: [KnownFact(stored := field.normalise(value), 0.9, field.compare(stored))]
        for field, value in known.items()
    }
    until = NOW + timedelta(seconds=seconds)
    pages = PAGES if source.spec.reads_pages else ()
    return Question(source.spec.subject, facts, source.spec.gives, NOW, until, pages=pages)


async def ask(source: Source, known: Mapping[FactField, FactValue], fetcher: Fetcher) -> Answer:
    """The answer, whose receipts are in plain words."""
    answer = await source.ask(question(source, known), fetcher)
    for fact in answer.facts if isinstance(answer, Found) else ():
        require_plain(fact.receipt.method, fact.receipt.evidence)
    return answer


async def facts_of(source: Source, known: Mapping[FactField, FactValue], fetcher: Fetcher) -> list[Fact]:
    """The facts of an answer; none for a miss."""
    answer = await ask(source, known, fetcher)
    return [*answer.facts] if isinstance(answer, Found) else []


def values(facts: list[Fact], field: FactField) -> list[FactValue]:
    """The values of a field, the surest first."""
    return [fact.value for fact in sorted(facts, key=lambda fact: -fact.confidence) if fact.field is field]
