"""Display names of actors: the only source for pages, receipts and the command line."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from leadflood.kernel.actor import ActorKind

_UNNAMED: Final = {
    ActorKind.CLI: "CLI",
    ActorKind.API_KEY: "API key",
    ActorKind.USER: "Former member",
}


def actor_label(kind: ActorKind, actor_id: UUID | None, names: Mapping[UUID, str]) -> str:
    """Display name of an actor. `names`: see `queries.actor_names`."""
    if kind is ActorKind.SYSTEM:
        return "System"
    known = names.get(actor_id) if actor_id else None
    if known and kind is ActorKind.API_KEY:
        return f"API key “{known}”"
    if known and kind is ActorKind.USER:
        return known
    return _UNNAMED[kind]
