"""Weights of a workspace, estimated from a sample of its leads without labels.

u is estimated from random pairs: nearly all of them are two people. m is estimated by expectation and maximization over
pairs that share a key (Winkler 1988; also used by Splink and fastLink): the probability of each pair by names, emails
and phone numbers weights its agreement in other fields, which changes the probability in turn. The documented priors
count as 20 pairs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice
from math import exp2, log1p
from typing import Final

from leadflood.domains.duplicates.models.comparing import Evidence, evidence
from leadflood.domains.duplicates.models.name_weights import compare_names
from leadflood.domains.duplicates.models.names import NameRates, rate_key
from leadflood.domains.duplicates.models.people import ComparedLead, PersonKey, compact
from leadflood.domains.duplicates.models.values import Level, ValueKind, level_of
from leadflood.domains.duplicates.models.weights import (
    DUPLICATES_PER_LEAD,
    FieldPrior,
    FieldWeights,
    Levels,
    Weights,
    among_colleagues,
    prior_of,
)

SAMPLE: Final = 5000
"""Maximum number of leads in a sample."""
_PAIRS: Final = 4000
_PARTS: Final = (2, 3, 5, 7)
_OF_A_KEY: Final = 10
_MAX_FIELDS: Final = 20
_MIN_FILLED: Final = 20
"""Minimum number of leads with a value of a field."""
_ROUNDS: Final = 12
_MAX_DUPLICATES: Final = 2.0
_PRIOR_PAIRS: Final = 20.0
"""Number of pairs that a prior counts as."""
_COMMON_VALUES: Final = 300
_OFTEN: Final = 3
"""Minimum number of people with a value for it to be frequent."""
_OF_ONE_PERSON: Final = 6
"""Maximum number of leads of one person."""
_MAX_KEYS: Final = 3
_TELLING: Final = 0.02
"""Maximum u of a field that is used as a comparison key."""


def train(sample: Sequence[ComparedLead], *, leads: int, kinds: Mapping[str, ValueKind]) -> Weights:
    """Weights of a workspace.

    Args:
        sample: some of its leads, including ones with similar emails.
        leads: number of leads of the workspace.
        kinds: comparison kinds of the defined fields.
    """
    known = {name: _only_kind(kind) for name, kind in kinds.items()}
    people = [PersonKey.of(lead, Weights(fields=known)) for lead in sample]
    basis = Weights(leads=leads, seen=list(kinds), names=_name_rates(people), companies=_company_rates(people))
    return _Sample(people, basis, _fields(people)).weights(kinds)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two leads: evidence without the trained fields, and the levels of those."""

    found: Evidence
    levels: Mapping[str, Level]


@dataclass(frozen=True, slots=True)
class _Sample:
    people: Sequence[PersonKey]
    basis: Weights
    fields: Sequence[str]

    def weights(self, kinds: Mapping[str, ValueKind]) -> Weights:
        found = replace(self.basis, fields={name: self._start(name, kinds) for name in self.fields})
        pairs = [self._pair(one, two) for one, two in self._alike()]
        for _ in range(_ROUNDS):
            found = _next_round(found, pairs, len(self.people))
        return replace(found, keys=_keys(found.fields))

    def _start(self, name: str, kinds: Mapping[str, ValueKind]) -> FieldWeights:
        values = [person.values[name] for person in self.people if name in person.values]
        kind = kinds.get(name) or Counter(value.kind for value in values).most_common(1)[0][0]
        prior = prior_of(name, kind)
        named = [(person.values[name].key, _name_of(person)) for person in self.people if name in person.values]
        common = _rates(named, _leads_of)
        u = _shares(prior.u, (level for level in self._levels(name, self._at_random())))
        return FieldWeights(
            kind=kind,
            m=prior.m,
            u=u,
            at_company=_shares(among_colleagues(u), self._levels(name, self._colleagues())),
            common=common,
            rare=max(_OFTEN / 2 / len(named), min(common.values()) if len(common) == _COMMON_VALUES else 0.0),
            trained=True,
        )

    def _levels(self, name: str, pairs: Iterable[tuple[PersonKey, PersonKey]]) -> Iterable[Level]:
        for one, two in pairs:
            a, b = one.values.get(name), two.values.get(name)
            if a is not None and b is not None and a.kind is b.kind:
                yield level_of(a, b)

    def _at_random(self) -> Iterable[tuple[PersonKey, PersonKey]]:
        """Pairs of leads that are far apart in the sample, where similar emails are neighbors."""
        people = self.people
        strides = {len(people) // part for part in _PARTS if len(people) // part}
        pairs = ((people[place - stride], person) for stride in strides for place, person in enumerate(people))
        return islice(pairs, _PAIRS)

    def _colleagues(self) -> Iterable[tuple[PersonKey, PersonKey]]:
        """Pairs at one company with different names."""
        at: dict[str, list[PersonKey]] = defaultdict(list)
        for person in self.people:
            for company in person.companies:
                at[compact(company)].append(person)
        pairs = (pair for group in at.values() for pair in islice(combinations(group, 2), _OF_A_KEY))
        return islice((pair for pair in pairs if _other_names(*pair)), _PAIRS)

    def _alike(self) -> Iterable[tuple[PersonKey, PersonKey]]:
        """Pairs that share a key without trained fields."""
        groups: dict[int, list[int]] = defaultdict(list)
        for place, person in enumerate(self.people):
            for key in person.blocks(self.basis):
                groups[key].append(place)
        pairs = {pair for group in groups.values() for pair in islice(combinations(group, 2), _OF_A_KEY)}
        return ((self.people[one], self.people[two]) for one, two in islice(sorted(pairs), 2 * _PAIRS))

    def _pair(self, one: PersonKey, two: PersonKey) -> _Pair:
        levels = {
            name: level_of(one.values[name], two.values[name])
            for name in self.fields
            if name in one.values and name in two.values and one.values[name].kind is two.values[name].kind
        }
        names = compare_names(one.first, one.last, two.first, two.last)
        return _Pair(evidence(one, two, self.basis, names), levels)


def _next_round(weights: Weights, pairs: Sequence[_Pair], people: int) -> Weights:
    """New estimates of m and of the number of duplicates, from the probabilities of the current weights.

    The m of a field weights pairs by the evidence of all other fields.
    """
    counts = {name: [_PRIOR_PAIRS * share for share in _prior(name, item).m] for name, item in weights.fields.items()}
    same = 0.0
    for pair in pairs:
        colleagues = pair.found.colleagues
        bits = {
            name: weights.fields[name].plain_bits(level, colleagues=colleagues) for name, level in pair.levels.items()
        }
        odds = pair.found.odds(weights) + sum(bits.values())
        same += _probability(odds)
        for name, level in pair.levels.items():
            counts[name][level] += _probability(odds - bits[name])
    fields = {name: replace(item, m=_normed(counts[name])) for name, item in weights.fields.items()}
    duplicates = min(_MAX_DUPLICATES, max(DUPLICATES_PER_LEAD, 2 * same / max(1, people)))
    return replace(weights, fields=fields, duplicates=duplicates)


def _prior(name: str, item: FieldWeights) -> FieldPrior:
    return prior_of(name, item.kind or ValueKind.TEXT)


def _normed(counts: Sequence[float]) -> Levels:
    total = sum(counts)
    return counts[0] / total, counts[1] / total, counts[2] / total


def _probability(odds: float) -> float:
    return 1 / (1 + exp2(-max(-60.0, min(60.0, odds))))


def _shares(prior: Levels, levels: Iterable[Level]) -> Levels:
    counts = [_PRIOR_PAIRS * share for share in prior]
    for level in levels:
        counts[level] += 1
    return _normed(counts)


def _only_kind(kind: ValueKind) -> FieldWeights:
    prior = prior_of("", kind)
    return FieldWeights(kind, prior.m, prior.u, prior.u)


def _other_names(one: PersonKey, two: PersonKey) -> bool:
    return one.mailbox != two.mailbox and one.first.text != two.first.text and one.last.text != two.last.text


def _fields(people: Sequence[PersonKey]) -> list[str]:
    """The fields with most values."""
    filled = Counter(name for person in people for name in person.values)
    return [name for name, count in filled.most_common(_MAX_FIELDS) if count >= _MIN_FILLED]


def _name_rates(people: Sequence[PersonKey]) -> NameRates:
    pairs = [(person.first.text.replace(" ", ""), person.last.text.replace(" ", "")) for person in people]
    return NameRates(
        given=_rates([(first, last[:2]) for first, last in pairs if first], _people_of),
        family=_rates([(last, first[:2]) for first, last in pairs if last], _people_of),
    )


def _company_rates(people: Sequence[PersonKey]) -> dict[int, float]:
    return _rates([(company, _name_of(person)) for person in people for company in person.companies], _leads_of)


def _name_of(person: PersonKey) -> str:
    """Beginnings of names: they distinguish people and seldom differ between the leads of one person."""
    return f"{person.first.text[:1]} {person.last.text[:2]}".strip() or person.mailbox


def _rates(named: Sequence[tuple[str, str]], count: Callable[[int, int, int], float]) -> dict[int, float]:
    """Shares of frequent values, by `rate_key`. A value that only a few leads of two people have is not frequent.

    Args:
        named: values, each with a prefix that distinguishes the people who have it.
        count: how many have a value, from the numbers of its leads, of its prefixes, and of all prefixes.
    """
    others: dict[str, set[str]] = defaultdict(set)
    for name, other in named:
        others[name].add(other)
    leads, prefixes = Counter(name for name, _ in named), len({other for _, other in named})
    common = Counter(
        {
            name: count(leads[name], len(found), prefixes) - 1
            for name, found in others.items()
            if len(found) >= _OFTEN or leads[name] > _OF_ONE_PERSON
        }
    )
    return {rate_key(name): number / len(named) for name, number in common.most_common(_COMMON_VALUES)}


def _leads_of(leads: int, _found: int, _prefixes: int) -> float:
    return leads


def _people_of(leads: int, found: int, prefixes: int) -> float:
    """Estimated number of people: several leads of one count once, and several people may share a prefix."""
    return min(leads, -prefixes * log1p(-found / prefixes)) if found < prefixes else leads


def _keys(fields: Mapping[str, FieldWeights]) -> list[str]:
    """The fields used as comparison keys: those with the lowest u."""
    kinds = {ValueKind.TEXT, ValueKind.DATE, ValueKind.NUMBER, ValueKind.URL}
    telling = [
        (item.u[Level.EXACT], name)
        for name, item in fields.items()
        if item.kind in kinds and item.u[Level.EXACT] < _TELLING and item.m[Level.EXACT] > _M_OF_KEYS
    ]
    return [name for _, name in sorted(telling)[:_MAX_KEYS]]


_M_OF_KEYS: Final = 0.3
"""Minimum m of a field that is used as a comparison key."""
