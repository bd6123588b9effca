"""A version of a profile as its pages show it: criteria, gates and tiers in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from leadflood.domains.icps import queries
from leadflood.domains.icps.contracts.bodies import described
from leadflood.domains.icps.models.catalog import ProfileCatalog
from leadflood.domains.icps.models.profiles import Criterion
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction


@dataclass(frozen=True, slots=True)
class CriterionRow:
    """A criterion: its test in words, and its points if the test is true and if it is false."""

    label: str
    test: str
    points: int
    otherwise: int
    note: str


@dataclass(frozen=True, slots=True)
class GroupTable:
    """The criteria of a group. `cap`: its sum counts from -cap to cap."""

    name: str
    cap: int | None
    criteria: Sequence[CriterionRow]


@dataclass(frozen=True, slots=True)
class GateRow:
    """A gate. `tier`: the best one that it allows; None: the lead is excluded."""

    reason: str
    test: str
    tier: str | None


@dataclass(frozen=True, slots=True)
class TierRow:
    """A tier, and the score from which it begins; None: the last one."""

    name: str
    at_least: int | None


@dataclass(frozen=True, slots=True)
class ProfileTables:
    """Everything that a version says."""

    groups: Sequence[GroupTable]
    gates: Sequence[GateRow]
    tiers: Sequence[TierRow]
    stale_is_unknown: bool


async def tables_of(tx: Transaction, actor: Actor, row: Row) -> ProfileTables:
    """The tables of a stored version, with the labels that fields have now. `row`: of `queries.numbered_row`."""
    profile, stored = queries.stored_profile(row.id, row.body, row.shapes)
    catalog: ProfileCatalog = stored.labelled(await queries.catalog_of(tx, actor))
    return ProfileTables(
        [
            GroupTable(group.name, group.cap, [_criterion(each, catalog) for each in group.criteria])
            for group in profile.groups
        ],
        [GateRow(gate.reason, _words(described(gate.test, catalog)), gate.tier) for gate in profile.gates],
        [TierRow(tier.name, tier.at_least) for tier in profile.tiers],
        profile.stale_is_unknown,
    )


def _criterion(each: Criterion, catalog: ProfileCatalog) -> CriterionRow:
    return CriterionRow(each.label, _words(described(each.test, catalog)), each.points, each.otherwise, each.note)


def _words(test: str) -> str:
    """A test without the parentheses around the whole of it."""
    if not test.startswith("("):
        return test
    depth = 0
    for place, character in enumerate(test):
        depth += (character == "(") - (character == ")")
        if not depth:
            return test[1:-1] if place == len(test) - 1 else test
    return test
