"""Parts that the tests of a domain add to the tests of tenants, from `tests/integration/<domain>/tenant.py`.

Such a module has a function `populate`, and may have the constants below. The tests find it by its name, so that a new
domain is tested for isolation without a change of theirs:

    async def populate(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> Mapping[str, UUID]:
        '''Write a row into each table of the domain. Returns an ID of each collection of its endpoints.'''

`ids` has the IDs that are there already, such as `leads` and `owner`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from tests.architecture.source import ROOT

Populate = Callable[[Database, Actor, Mapping[str, UUID]], Awaitable[Mapping[str, UUID]]]


@dataclass(frozen=True)
class DomainTenant:
    """The part of one domain.

    Attributes:
        body_refusals: by operation and field, how an ID of another workspace in a body is answered.
        append_only: tables that services insert into and read, and nothing else.
        searched: tables that filters of leads look into.
        shared: tables that belong to no workspace, with the reason.
        without_personal_data: tables that have nothing about a lead, with the reason.
    """

    populate: Populate
    body_refusals: Mapping[tuple[str, str], tuple[int, str | None]] = field(default_factory=dict)
    append_only: frozenset[str] = frozenset()
    searched: frozenset[str] = frozenset()
    shared: Mapping[str, str] = field(default_factory=dict)
    without_personal_data: Mapping[str, str] = field(default_factory=dict)


def part_of(module: ModuleType) -> DomainTenant:
    """The part that a module declares. Raises: AttributeError: it has no `populate`."""
    return DomainTenant(
        module.populate,
        getattr(module, "BODY_REFUSALS", {}),
        frozenset(getattr(module, "APPEND_ONLY", ())),
        frozenset(getattr(module, "SEARCHED", ())),
        getattr(module, "SHARED", {}),
        getattr(module, "WITHOUT_PERSONAL_DATA", {}),
    )


@cache
def domain_tenants() -> tuple[DomainTenant, ...]:
    """The parts of all domains."""
    modules = sorted(path.parent.name for path in (ROOT / "tests/integration").glob("*/tenant.py"))
    return tuple(part_of(import_module(f"tests.integration.{name}.tenant")) for name in modules)


async def populate_all(database: Database, actor: Actor, ids: Mapping[str, UUID]) -> dict[str, UUID]:
    """Let each domain write its rows. Returns all IDs, those given included."""
    known = dict(ids)
    for tenant in domain_tenants():
        known |= await tenant.populate(database, actor, known)
    return known
