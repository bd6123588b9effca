"""Certain duplicates within a list of people that are not leads yet, such as the rows of a file."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from leadflood.domains.duplicates.models import CERTAIN, UNTRAINED, ComparedLead, PersonKey, Weights, compare
from leadflood.domains.duplicates.models.training import SAMPLE, train
from leadflood.domains.duplicates.models.values import ValueKind
from leadflood.domains.duplicates.service.scanning import COMPARING, field_kinds
from leadflood.domains.duplicates.store import comparison
from leadflood.domains.duplicates.store import scanning as store
from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

NEIGHBOURS: Final = 5
"""Maximum number of people with the same key that a person is compared with: the work is linear."""
_PEOPLE: Final = 1000
_PAIRS: Final = 5000
_INDEX_BITS: Final = 32
_INDEX_MASK: Final = (1 << _INDEX_BITS) - 1

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class KnownWeights:
    """Weights of the last scan of a workspace, if any, and the comparison kinds of its fields."""

    weights: Weights | None
    kinds: Mapping[str, ValueKind]


async def known_weights(tx: Transaction, actor: Actor) -> KnownWeights:
    """The weights that a workspace has."""
    stored = await store.last_weights(tx, actor.workspace_id)
    return KnownWeights(None if stored is None else Weights.read(stored), await field_kinds(tx, actor))


def people_of(leads: Iterable[Mapping[str, Any]], known: KnownWeights) -> list[ComparedLead]:
    """People by the columns of a lead: its personal fields, and those of its `custom_fields` that are defined."""
    return [_only_fields(comparison.compared_lead(lead), known.kinds) for lead in leads]


async def weights_of(people: Sequence[ComparedLead], known: KnownWeights) -> Weights:
    """The weights to compare people with: those of the workspace, or of the list if it is longer than that was."""
    if known.weights is not None and known.weights.leads >= len(people):
        return known.weights
    sample = people[:: max(1, len(people) // SAMPLE)][:SAMPLE]
    return await COMPARING.run(train, sample, leads=len(people), kinds=known.kinds)


async def certain_pairs(people: Sequence[ComparedLead], weights: Weights = UNTRAINED) -> list[Pair]:
    """Pairs of people who are one person for certain, by position, in order."""
    known: list[PersonKey] = []
    for start in range(0, len(people), _PEOPLE):
        chunk = [_only_fields(person, weights.fields) for person in people[start : start + _PEOPLE]]
        known += await COMPARING.run(_keys, chunk, weights)
    candidates = await COMPARING.run(_candidates, known, weights)
    found: list[Pair] = []
    for start in range(0, len(candidates), _PAIRS):
        found += await COMPARING.run(_certain, candidates[start : start + _PAIRS], known, weights)
    return found


def _only_fields(person: ComparedLead, names: Container[str]) -> ComparedLead:
    """The person without other custom fields than these."""
    fields = {
        name: value for name, value in person.fields.items() if not name.startswith(CUSTOM_FIELD) or name in names
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
