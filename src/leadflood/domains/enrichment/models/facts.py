"""Facts: a value of a field with its receipt."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue

MANUAL: Final = "manual"
"""The source of what people write."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The evidence of a fact.

    Attributes:
        method: how it was found: a short stable name, such as `json_ld`.
        evidence: the reason in one sentence, for people.
        observed_at: the time at which the source had the value.
        source_url: the page or record that has it.
        quote: the text of that page which says so; see `is_quoted`.
    """

    method: str
    evidence: str
    observed_at: datetime
    source_url: str | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A normalized value of a field with its receipt."""

    field: FactField
    value: FactValue
    confidence: float
    """Probability that the value is right, 0 to 1, as estimated by the source."""

    receipt: Receipt
    _key: str | None = dataclasses.field(default=None, compare=False, repr=False)

    @property
    def key(self) -> str:
        """Equal for all spellings of the same value."""
        known = self._key
        if known is None:
            known = self.field.compare(self.value)
            object.__setattr__(self, "_key", known)
        return known

    @classmethod
    def of(cls, field: FactField, value: FactValue, confidence: float, receipt: Receipt) -> Self:
        """A fact with a value in any form that the field accepts.

        Raises:
            leadflood.kernel.text.InvalidValue: it is no value of this field.
            ValueError: a confidence outside 0..1 (NaN included).
        """
        return cls.stored(field, field.normalise(value), confidence, receipt)

    @classmethod
    def stored(cls, field: FactField, value: FactValue, confidence: float, receipt: Receipt) -> Self:
        """A fact with a normalized value. Raises: ValueError: a confidence outside 0..1 (NaN included)."""
        if not 0 <= confidence <= 1:
            raise ValueError(f"The confidence of {field.name} is {confidence}; it must lie between 0 and 1.")
        return cls(field, value, confidence, receipt)


def is_quoted(quote: str, text: str) -> bool:
    """Whether a text contains a quote, however it is spaced. An empty quote is in no text."""
    folded = " ".join(quote.split())
    return bool(folded) and folded in " ".join(text.split())
