"""Display names of actors: the only source for pages, receipts and the command line."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from uuid import UUID

from leadflood.kernel.actor import ActorKind
from leadflood.kernel.db.sql import Sql

_UNNAMED: Final = {
    ActorKind.CLI: "CLI",
    ActorKind.API_KEY: "API key",
    ActorKind.USER: "Former member",
}


def actor_label(kind: ActorKind, actor_id: UUID | None, names: Mapping[UUID, str]) -> str:
    """Display name of an actor. `names`: see `queries.actor_names`."""
    known = names.get(actor_id) if actor_id else None
    if kind is ActorKind.SYSTEM:
        return f"Rule “{known}”" if known else "System"
    if known and kind is ActorKind.API_KEY:
        return f"API key “{known}”"
    if known and kind is ActorKind.USER:
        return known
    return _UNNAMED[kind]


class ActorNames:
    """Statements with `id` and `name` of what acts in the name of the system, for `:workspace_id` and `:ids`."""

    def __init__(self) -> None:
        self._statements: list[Sql] = []

    def add(self, statements: Iterable[Sql]) -> None:
        """Add the statements of a domain; again is allowed."""
        self._statements += [each for each in statements if each not in self._statements]

    def __iter__(self) -> Iterator[Sql]:
        return iter(self._statements)


ACTOR_NAMES: Final = ActorNames()
"""Filled by `bootstrap`: domains declare them (`Domain.actor_names`)."""
