"""Names of the workspace's members, API keys and stages."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from leadflood.domains.identity import queries
from leadflood.domains.identity.labels import actor_label
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.stages.queries import stages_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.web.field_text import Names

_MAX_MEMBERS = 200


async def member_names(tx: Transaction, actor: Actor) -> Names:
    """Names of the members by ID, as text for forms: the first 200; with the stages."""
    page = await queries.list_members(tx, actor, limit=_MAX_MEMBERS)
    names = {str(item.id): item.name for item in page.items}
    return Names(names, await stages_of(tx, actor.workspace_id))


def owner_choices(names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Possible owners of a lead, for a `select`."""
    return [("", "Unassigned"), *names.items()]


async def actors_of(tx: Transaction, actor: Actor, those: Iterable[ActorView]) -> dict[ActorView, str]:
    """All of them by name."""
    found = set(those)
    names = await queries.actor_names(tx, actor, [item.id for item in found if item.id])
    return {item: actor_label(item.kind, item.id, names) for item in found}


async def names_of_actors(tx: Transaction, actor: Actor, those: Iterable[ActorView]) -> dict[UUID, str]:
    """Names of users and API keys by ID, as far as known."""
    return await queries.actor_names(tx, actor, [item.id for item in those if item.id])
