"""Policies: the order of sources, and how sure a value has to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.sources import SourceSpec

SATISFIED: Final = 0.8
"""Confidence at which a field needs no further source, unless the policy says otherwise."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules of a run.

    Attributes:
        order: names of sources in order of precedence. Sources that it does not name come last, by name.
        by_field: another order for some fields; sources that such an order does not name are not asked for the field.
        satisfied: confidence at which a field needs no further source, where it is not the usual one.
    """

    order: Sequence[str] = ()
    by_field: Mapping[FactField, Sequence[str]] = field(default_factory=dict)
    satisfied: Mapping[FactField, float] = field(default_factory=dict)

    def threshold(self, wanted: FactField) -> float:
        """Confidence at which a field needs no further source."""
        return self.satisfied.get(wanted, SATISFIED)

    def steps(self, wanted: FactField, specs: Sequence[SourceSpec]) -> list[SourceSpec]:
        """The sources to ask for a field, in order. Args: specs: those that there are."""
        givers = [spec for spec in specs if wanted in spec.gives]
        if wanted in self.by_field:
            named = self.by_field[wanted]
            return sorted((spec for spec in givers if spec.name in named), key=lambda spec: named.index(spec.name))
        return sorted(givers, key=lambda spec: self.rank(spec.name)) if len(givers) > 1 else givers

    def rank(self, source: str) -> tuple[int, str]:
        """Place of a source in the order, for sorting."""
        return (self.order.index(source) if source in self.order else len(self.order), source)


@dataclass(frozen=True, slots=True)
class ChoiceRules:
    """Rules by which values are chosen. `families`: of sources, by name; others are a family of their own."""

    policy: Policy
    families: Mapping[str, str] = field(default_factory=dict)

    def family(self, source: str) -> str:
        """The family of a source."""
        return self.families.get(source, source)
