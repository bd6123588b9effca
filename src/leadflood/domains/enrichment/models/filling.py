"""Which found values an empty field of a lead can take, and how sure they have to be.

The catalogs declare the mapping: `fills` of a found field names the field of a lead. What a person or a file wrote is
never replaced.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS


class FillState(StrEnum):
    """Whether a found value counts as that of the lead, or waits for someone to accept it."""

    FILLED = "filled"
    SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class FillPolicy:
    """Rule of a found field. `fill_at`: confidence from which it fills; None never fills. `suggest`: offer it below."""

    fill_at: float | None = 0.8
    suggest: bool = True

    def state(self, confidence: float) -> FillState | None:
        """State of a value; None if it is not used."""
        if self.fill_at is not None and confidence >= self.fill_at:
            return FillState.FILLED
        return FillState.SUGGESTED if self.suggest else None


STANDARD: Final = FillPolicy()
POLICIES: Final[Mapping[FactField, FillPolicy]] = {
    # The number of the company is rarely that of the person.
    company_fields.PHONE: FillPolicy(fill_at=None),
}
"""Fields with another policy than the standard one, unless the workspace changes it."""

_GUESSES: Final = frozenset({lead_fields.COMPANY_NAME})
"""Guesses from the address, which come after what the company says of itself."""


@dataclass(frozen=True, slots=True)
class FillPolicies:
    """The policies of a workspace. `own`: those that it has changed."""

    own: Mapping[FactField, FillPolicy] = field(default_factory=dict)

    def of(self, found: FactField) -> FillPolicy:
        """The policy of a found field."""
        return self.own.get(found) or POLICIES.get(found, STANDARD)


def _by_lead_field() -> dict[str, tuple[FactField, ...]]:
    by_field: dict[str, tuple[FactField, ...]] = {}
    every = [*PERSON_FIELDS, *COMPANY_FIELDS]
    for found in sorted(every, key=lambda item: item in _GUESSES):
        if found.fills is not None:
            by_field[found.fills] = (*by_field.get(found.fills, ()), found)
    return by_field


FILLED_BY: Final[Mapping[str, tuple[FactField, ...]]] = _by_lead_field()
"""The found fields for each field of a lead, in order of precedence: the person's before the company's."""

FILLING: Final[tuple[FactField, ...]] = tuple(
    found for found in (*PERSON_FIELDS, *COMPANY_FIELDS) if found.fills is not None
)
"""The found fields that have a policy."""
