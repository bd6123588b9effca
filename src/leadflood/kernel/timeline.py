"""Timelines: what happened to a subject, such as a lead, in append-only entries.

Each kind of subject has a table of its own, `<subject>_events`, which a migration creates by `CALL add_timeline(…)`.
Its entries belong to their subject by a foreign key: they wait for its lock, and are deleted with it.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, identifier, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.subjects import Place

# Add an entry to the timeline of each of these subjects.
_RECORD = sql("""
INSERT INTO {table} (workspace_id, {subject}, id, kind, actor_kind, actor_id, data)
SELECT :workspace_id, subject_id, id, :kind, :actor_kind, :actor_id, data::jsonb
FROM unnest(:subject_ids::uuid[], :ids::uuid[], :data::text[]) AS entry (subject_id, id, data)
""")

# The timelines of these subjects, newest first. What one change wrote into several of them has one ID.
_ENTRIES = sql("""
SELECT {subject} AS subject_id, id, kind, at, actor_kind, actor_id, data FROM {table}
WHERE workspace_id = :workspace_id AND {subject} = ANY (:subject_ids)
  AND (:after_id::uuid IS NULL OR (id, {subject}) < (:after_id, :after_subject))
ORDER BY id DESC, {subject} DESC LIMIT :limit
""")

# Entries of a person's subjects.
_OF_PERSON = sql("t.{subject} = ANY (:ids::uuid[])")


@dataclass(frozen=True, slots=True)
class TimelineRecord:
    """An entry. `actor_id`: None for the command line and the system."""

    id: UUID
    subject_id: UUID
    kind: str
    at: datetime
    actor_kind: ActorKind
    actor_id: UUID | None
    data: Mapping[str, Any]


class Timeline:
    """The timelines of one kind of subject."""

    def __init__(self, subject: str) -> None:
        """Raises: ValueError: the kind is not a name in lower case."""
        self.subject = subject
        names = {"table": identifier(f"{subject}_events"), "subject": identifier(f"{subject}_id")}
        self._table, self._found = names["table"], assemble(_OF_PERSON, subject=names["subject"])
        self.record_statement = assemble(_RECORD, **names)
        self._entries = assemble(_ENTRIES, **names)

    async def record(
        self, tx: Transaction, actor: Actor, *, kind: str, entries: Mapping[UUID, Mapping[str, Any]]
    ) -> None:
        """Add an entry to the timeline of each subject, each with its own data."""
        await tx.execute(
            self.record_statement,
            {
                "workspace_id": actor.workspace_id,
                "kind": kind,
                "actor_kind": actor.kind,
                "actor_id": actor.id,
                "subject_ids": list(entries),
                "ids": [new_id() for _ in entries],
                "data": [json.dumps(dict(data)) for data in entries.values()],
            },
        )

    async def entries(
        self, tx: Transaction, actor: Actor, *, subject_ids: Collection[UUID], after: Position | None = None, limit: int
    ) -> Page[TimelineRecord]:
        """The entries of these subjects as one timeline, newest first."""
        values = {
            "workspace_id": actor.workspace_id,
            "subject_ids": list(subject_ids),
            "after_id": after.id if after else None,
            "after_subject": after.key if after else None,
            "limit": limit + 1,
        }
        rows = await tx.all(self._entries, values)
        return cut(rows, limit, lambda row: Position.at(row.subject_id, row.id)).map(_record)

    def place(self, name: str = "timeline") -> Place:
        """Personal data in it, for `Participant.places`. The entries are deleted with their subject."""
        return Place(name=name, table=self._table, found=self._found, erase=None)


def _record(row: Row) -> TimelineRecord:
    return TimelineRecord(row.id, row.subject_id, row.kind, row.at, ActorKind(row.actor_kind), row.actor_id, row.data)
