"""Facts: a value of a field with its receipt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue


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
    """A normalized value of a field with its receipt. `key`: equal for all spellings of the same value."""

    field: FactField
    value: FactValue
    confidence: float
    """Probability that the value is right, 0 to 1, as estimated by the source."""

    receipt: Receipt
    key: str

    @classmethod
    def of(cls, field: FactField, value: FactValue, confidence: float, receipt: Receipt) -> Self:
        """A fact with a value in any form that the field accepts.

        Raises:
            leadflood.kernel.text.InvalidValue: it is no value of this field.
            ValueError: a confidence outside 0..1 (NaN included).
        """
        if not 0 <= confidence <= 1:
            raise ValueError(f"The confidence of {field.name} is {confidence}; it must lie between 0 and 1.")
        stored = field.normalise(value)
        return cls(field, stored, confidence, receipt, field.compare(stored))


def is_quoted(quote: str, text: str) -> bool:
    """Whether a text contains a quote, however it is spaced. An empty quote is in no text."""
    folded = " ".join(quote.split())
    return bool(folded) and folded in " ".join(text.split())
