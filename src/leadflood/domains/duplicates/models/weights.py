"""Weights after Fellegi and Sunter: the evidence of agreement or difference in a field, in bits.

For each level of agreement, m is its probability among pairs that are one person, and u among other pairs. The weight
is log2(m / u). The values here are documented priors (decision 43); `training` replaces those of the fields of a
workspace by estimates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log2
from typing import Any, Final, Self

from leadflood.domains.duplicates.models.names import NO_RATES, NameRates, rate_key
from leadflood.domains.duplicates.models.values import ComparedValue, Level, ValueKind

Levels = tuple[float, float, float]
"""Probabilities by `Level`."""

VERSION: Final = 2
"""Version of the comparison keys and estimates. After a change of it, all leads are compared again."""
DUPLICATES_PER_LEAD: Final = 0.1
"""Average number of other leads that are the same person as a lead, before it is estimated."""


@dataclass(frozen=True, slots=True)
class FieldPrior:
    """Assumed probabilities of a field."""

    m: Levels
    u: Levels


@dataclass(frozen=True, slots=True)
class FieldWeights:
    """Weights of one field.

    Attributes:
        m, u: probabilities of each level among pairs that are one person, and among others.
        at_company: u among colleagues, who share their company's values.
        common: shares of leads with frequent values, by `rate_key`; `rare`: share of any other value.
        trained: whether they are estimates of the workspace.
    """

    kind: ValueKind | None
    m: Levels
    u: Levels
    at_company: Levels
    common: Mapping[int, float] = field(default_factory=dict)
    rare: float = 1.0
    trained: bool = False

    def plain_bits(self, level: Level, *, colleagues: bool) -> float:
        """Weight of a level, regardless of the value."""
        u = self.at_company[level] if colleagues else self.u[level]
        return min(_MAX, max(_MIN, log2(self.m[level] / u)))

    def bits(self, level: Level, value: ComparedValue, *, colleagues: bool) -> float:
        """Weight of a level. A rare value has a higher weight than a frequent one."""
        u = self.at_company[level] if colleagues else self.u[level]
        if level is Level.EXACT and self.trained:
            share = self.common.get(rate_key(value.key))
            u = max(u, share or 0.0) if colleagues else share or self.rare
        least, most = (_MIN, _MAX) if self.trained else (_MIN_UNTRAINED, _MAX_UNTRAINED)
        return min(most, max(least, log2(self.m[level] / u)))


@dataclass(frozen=True)
class Weights:
    """Weights of a workspace.

    Attributes:
        leads: number of leads, which decides how many are similar by chance.
        duplicates: average number of other leads that are the same person as a lead.
        names, companies: shares of frequent names and companies.
        fields: weights of other fields by name. keys: the fields used as comparison keys.
        seen: the fields that were defined at the time of the estimate.
    """

    leads: int = 0
    duplicates: float = DUPLICATES_PER_LEAD
    names: NameRates = NO_RATES
    companies: Mapping[int, float] = field(default_factory=dict)
    fields: Mapping[str, FieldWeights] = field(default_factory=dict)
    keys: Sequence[str] = ()
    seen: Sequence[str] = ()

    @cached_property
    def prior(self) -> float:
        """Prior log2 odds that two leads are one person."""
        return log2(self.duplicates / self._people)

    def company_bits(self, company: str) -> float:
        """Weight of a shared employer, in bits."""
        rate = max(self.companies.get(rate_key(company), 0.0), LEADS_PER_COMPANY / self._people)
        return log2(M_COMPANY / min(1.0, rate))

    def of(self, name: str, kind: ValueKind) -> FieldWeights:
        """Weights of a field, or its priors."""
        return self.fields.get(name) or _untrained(name, kind)

    def is_rare(self, name: str) -> bool:
        """Whether values of this field are rare enough to be comparison keys by themselves."""
        found = self.fields.get(name)
        return found is not None and found.u[Level.EXACT] < _ALONE

    def fits(self, leads: int, kinds: Mapping[str, ValueKind]) -> bool:
        """Whether the weights still fit a workspace with this number of leads and these fields."""
        grown = leads > _GROWTH * max(self.leads, _FEW_LEADS)
        changed = any(kinds.get(name, item.kind) is not item.kind for name, item in self.fields.items())
        return not grown and not changed and set(kinds) <= set(self.seen)

    @property
    def _people(self) -> int:
        return max(self.leads, MIN_LEADS)

    def stored(self) -> dict[str, Any]:
        """The JSON of the weights."""
        return {
            "version": VERSION,
            "leads": self.leads,
            "duplicates": self.duplicates,
            "given": _texts(self.names.given),
            "family": _texts(self.names.family),
            "companies": _texts(self.companies),
            "keys": list(self.keys),
            "seen": list(self.seen),
            "fields": {
                name: {
                    "kind": item.kind,
                    "m": item.m,
                    "u": item.u,
                    "atCompany": item.at_company,
                    "common": _texts(item.common),
                    "rare": item.rare,
                }
                for name, item in self.fields.items()
            },
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self | None:
        """Weights from their JSON; None if it is of another version."""
        if stored.get("version") != VERSION:
            return None
        return cls(
            leads=stored["leads"],
            duplicates=stored["duplicates"],
            names=NameRates(_numbers(stored["given"]), _numbers(stored["family"])),
            companies=_numbers(stored["companies"]),
            keys=stored["keys"],
            seen=stored["seen"],
            fields={
                name: FieldWeights(
                    kind=ValueKind(item["kind"]),
                    m=tuple(item["m"]),
                    u=tuple(item["u"]),
                    at_company=tuple(item["atCompany"]),
                    common=_numbers(item["common"]),
                    rare=item["rare"],
                    trained=True,
                )
                for name, item in stored["fields"].items()
            },
        )


def _texts(rates: Mapping[int, float]) -> dict[str, float]:
    return {str(key): round(rate, 6) for key, rate in rates.items()}


def _numbers(stored: Mapping[str, float]) -> dict[int, float]:
    return {int(key): rate for key, rate in stored.items()}


def prior_of(name: str, kind: ValueKind) -> FieldPrior:
    """Priors of a field: its own, or those of its kind."""
    return _OF_FIELDS.get(name) or _OF_KINDS[kind]


MIN_LEADS: Final = 3000
"""Minimum number of leads for the prior: small workspaces have names from an equally large population."""
LEADS_PER_COMPANY: Final = 20
_GROWTH, _FEW_LEADS = 2, 1000
M_COMPANY: Final = 0.75

_MIN, _MAX = -6.0, 14.0
_MIN_UNTRAINED, _MAX_UNTRAINED = -1.5, 3.0
"""Limits of fields without estimates: "Plan" and "Birthday" can both be text."""
_ALONE: Final = 0.002

_OF_KINDS: Final[Mapping[ValueKind, FieldPrior]] = {
    ValueKind.TEXT: FieldPrior((0.75, 0.12, 0.13), (0.01, 0.02, 0.97)),
    ValueKind.DATE: FieldPrior((0.75, 0.15, 0.10), (0.003, 0.03, 0.967)),
    ValueKind.NUMBER: FieldPrior((0.70, 0.0001, 0.30), (0.02, 0.0001, 0.98)),
    ValueKind.CHOICE: FieldPrior((0.80, 0.0001, 0.20), (0.30, 0.0001, 0.70)),
    ValueKind.SET: FieldPrior((0.60, 0.25, 0.15), (0.15, 0.30, 0.55)),
    ValueKind.URL: FieldPrior((0.60, 0.20, 0.20), (0.002, 0.01, 0.988)),
}
_OF_FIELDS: Final[Mapping[str, FieldPrior]] = {
    "jobTitle": FieldPrior((0.45, 0.20, 0.35), (0.02, 0.05, 0.93)),
    "country": FieldPrior((0.95, 0.0001, 0.05), (0.30, 0.0001, 0.70)),
}


def _untrained(name: str, kind: ValueKind) -> FieldWeights:
    prior = prior_of(name, kind)
    return FieldWeights(kind, prior.m, prior.u, at_company=among_colleagues(prior.u))


def among_colleagues(u: Levels) -> Levels:
    """Assumed u among colleagues: half of the fields describe the company."""
    exact = max(u[Level.EXACT], 0.5)
    rest = 1 - exact
    others = u[Level.SIMILAR] + u[Level.DIFFERENT]
    return exact, rest * u[Level.SIMILAR] / others, rest * u[Level.DIFFERENT] / others


UNTRAINED: Final = Weights()
"""Weights without estimates."""
