"""Collecting the facts of an answer: values that are none of their field are left out."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from leadflood.domains.enrichment.models import Answer, Fact, FactField, FactValue, Found, Missed, Receipt
from leadflood.kernel.text import InvalidValue

MAX_QUOTE: Final = 300


class CollectedFacts:
    """Facts that one page or record states. `facts`: in the order in which they were added."""

    def __init__(self, observed_at: datetime, source_url: str | None = None) -> None:
        """Args: observed_at: when the page or record was read. source_url: its address."""
        self.facts: list[Fact] = []
        self._observed_at = observed_at
        self._source_url = source_url

    def add(
        self,
        field: FactField,
        value: FactValue | None,
        confidence: float,
        method: str,
        evidence: str,
        *,
        quote: str | None = None,
    ) -> None:
        """Add a fact, unless the value is missing or none of the field."""
        if value is None or value == "":
            return
        receipt = Receipt(method, evidence, self._observed_at, self._source_url, (quote or "")[:MAX_QUOTE] or None)
        try:
            self.facts.append(Fact.of(field, value, confidence, receipt))
        except InvalidValue:
            return

    def answer(
        self, otherwise: str, *, keep_for: timedelta | None = None, units: int = 0, provider_ref: str | None = None
    ) -> Answer:
        """The facts, or a miss if there are none.

        Args:
            otherwise: why there are none; a sentence.
            keep_for: of a miss.
            units: that the provider charges in both cases.
            provider_ref: the provider's reference of the facts.
        """
        if not self.facts:
            return Missed(otherwise, keep_for, units)
        return Found(self.facts, units=units, provider_ref=provider_ref)


def wanted_only(facts: list[Fact], gives: Collection[FactField], *, most: int, most_of_many: int) -> list[Fact]:
    """The surest facts of each field, each value once.

    Args:
        facts: of all pages or records.
        gives: the fields of the source.
        most: values of a field that has one value.
        most_of_many: values of a field that may have several.
    """
    chosen: dict[tuple[str, str], Fact] = {}
    for fact in sorted(facts, key=lambda one: -one.confidence):
        if fact.field in gives:
            chosen.setdefault((fact.field.name, fact.key), fact)
    counts: dict[str, int] = {}
    kept: list[Fact] = []
    for fact in chosen.values():
        counts[fact.field.name] = counts.get(fact.field.name, 0) + 1
        if counts[fact.field.name] <= (most_of_many if fact.field.multiple else most):
            kept.append(fact)
    return kept
