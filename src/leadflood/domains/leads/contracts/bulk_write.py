"""Bulk write for other domains: rows, their owner, and the results."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import Sql


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Actor, changeset and source of a chunk of writes."""

    actor: Actor
    changeset_id: UUID
    import_id: UUID


@dataclass(frozen=True, slots=True)
class IncomingRows:
    """A chunk of new leads and of changes, as two statements on the caller's tables: no row leaves PostgreSQL.

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
    """Result of a chunk: the number of created and changed leads, and the skipped ones by ID with the reason."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    email_taken: list[UUID] = field(default_factory=list)
    deleted: list[UUID] = field(default_factory=list)
    unchanged: list[UUID] = field(default_factory=list)
    edited_since: list[UUID] = field(default_factory=list)
