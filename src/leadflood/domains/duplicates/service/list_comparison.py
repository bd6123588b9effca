"""Certain duplicates within a list of people that are not leads yet, such as the rows of a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from leadflood.domains.duplicates.models import CERTAIN, UNTRAINED, ComparedLead, PersonKey, Weights, compare
from leadflood.domains.duplicates.service.scanning import COMPARING
from leadflood.domains.duplicates.store import comparison
from leadflood.domains.duplicates.store import scanning as store
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.kernel.db.transaction import Transaction

NEIGHBOURS: Final = 5
"""Maximum number of people with the same key that a person is compared with: the work is linear."""
_PEOPLE: Final = 1000
_PAIRS: Final = 5000
_INDEX_BITS: Final = 32
_INDEX_MASK: Final = (1 << _INDEX_BITS) - 1

Pair = tuple[int, int]


async def current_weights(tx: Transaction, workspace_id: UUID) -> Weights:
    """The weights of the last scan of a workspace; the assumed ones before the first."""
    stored = await store.last_weights(tx, workspace_id)
    return (Weights.read(stored) if stored is not None else None) or UNTRAINED


def people_of(leads: Iterable[Mapping[str, Any]], weights: Weights) -> list[ComparedLead]:
    """People by the columns of a lead: its personal fields and `custom_fields`, of which those with a weight count."""
    return [_with_weights(comparison.compared_lead(lead), weights) for lead in leads]


async def certain_pairs(people: Sequence[ComparedLead], weights: Weights = UNTRAINED) -> list[Pair]:
    """Pairs of people who are one person for certain, by position, in order."""
    known: list[PersonKey] = []
    for start in range(0, len(people), _PEOPLE):
        known += await COMPARING.run(_keys, people[start : start + _PEOPLE], weights)
    candidates = await COMPARING.run(_candidates, known, weights)
    found: list[Pair] = []
    for start in range(0, len(candidates), _PAIRS):
        found += await COMPARING.run(_certain, candidates[start : start + _PAIRS], known, weights)
    return found


def _with_weights(person: ComparedLead, weights: Weights) -> ComparedLead:
    fields = {
        name: value
        for name, value in person.fields.items()
        if not name.startswith(CUSTOM_FIELD) or name in weights.fields
    }
    return replace(person, fields=fields)


def _keys(people: Iterable[ComparedLead], weights: Weights) -> list[PersonKey]:
    return [PersonKey.of(person, weights) for person in people]


def _candidates(people: Sequence[PersonKey], weights: Weights) -> list[Pair]:
    """Pairs that share a key, each with its next neighbors in the order of the list."""
    found: set[Pair] = set()
    # Key and position in one integer: sorting these takes a tenth of the memory of lists by key.
    keyed = sorted(
        (key << _INDEX_BITS) | index for index, person in enumerate(people) for key in person.blocks(weights)
    )
    for distance in range(1, NEIGHBOURS + 1):
        for one, two in zip(keyed, keyed[distance:], strict=False):
            if one >> _INDEX_BITS == two >> _INDEX_BITS:
                found.add((one & _INDEX_MASK, two & _INDEX_MASK))
    return sorted(found)


def _certain(pairs: Iterable[Pair], people: Sequence[PersonKey], weights: Weights) -> list[Pair]:
    found: list[Pair] = []
    for one, two in pairs:
        match = compare(people[one], people[two], weights)
        if match is not None and match.score == CERTAIN:
            found.append((one, two))
    return found
