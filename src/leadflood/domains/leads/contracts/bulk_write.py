"""How other domains write many leads at a time: their rows, whose they are, and what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import Sql


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Who writes a chunk, into which changeset, and what it comes from."""

    actor: Actor
    changeset_id: UUID
    import_id: UUID


@dataclass(frozen=True, slots=True)
class IncomingRows:
    """A chunk of new leads and of changes, as two statements on the caller's own tables: no row leaves PostgreSQL.

    Attributes:
        creates: selects `id`, `email`, `email_norm`, and the other columns of a new lead.
        creates_count: how many rows that gives.
        changes: selects `lead_id`, the `version` that the lead had, and `changes`: each field's name in a lead's image
            with `[before, after]`.
        changes_count: how many rows that gives.
        values: the parameters of both.
    """

    creates: Sql
    creates_count: int
    changes: Sql
    changes_count: int
    values: Mapping[str, object]


@dataclass(slots=True)
class WriteResult:
    """What became of a chunk: how many leads were created and changed, and by id those that were not, and why."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    email_taken: list[UUID] = field(default_factory=list)
    deleted: list[UUID] = field(default_factory=list)
    unchanged: list[UUID] = field(default_factory=list)
    edited_since: list[UUID] = field(default_factory=list)
