"""The feed of domain events, in an order in which no event appears behind a reader's cursor.

Events are ordered by the transaction that wrote them, and read as far as the oldest transaction that still runs: what
commits late has its place after all that was read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from uuid import UUID

import structlog

from leadflood.domains.jobs.contracts import EventActor, EventSubject, EventView
from leadflood.domains.jobs.deliveries import EventRef, UnreadableEvents, decoded, unfolded
from leadflood.domains.jobs.errors import CursorExpired, Terminal
from leadflood.domains.jobs.models import MAX_SUBJECTS
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import D, Event, EventType
from leadflood.kernel.pagination import Position
from leadflood.kernel.timestamps import parse_timestamp

SCANNED = 2000
"""Maximum rows per request: a page of rare types may be empty although more follow."""

_ALL = 1_000_000
"""Larger than the number of subjects of any row."""
_NO_ID = UUID(int=0)
_WRITTEN = re.compile(r"([0-9]{1,18}) ([0-9]{1,9}) (\S+)")  # numbers that fit their PostgreSQL types

_log = structlog.get_logger()

# End of a scan of some rows, current end of the feed, and the time of the last purge.
_SCAN = sql("""
WITH scanned AS (
    SELECT position, id FROM outbox_events
    WHERE workspace_id = :workspace_id AND (position, id) >= (:position, :id)
      AND position < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY position, id
    LIMIT :most
)
SELECT last.position, last.id, (SELECT count(*) FROM scanned) AS scanned, r.purged_until, now() AS at,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS end_position
FROM event_retention r
LEFT JOIN LATERAL (SELECT position, id FROM scanned ORDER BY position DESC, id DESC LIMIT 1) AS last ON true
""")

# Those rows of a scan that have the requested subjects.
_READ = sql("""
SELECT id, position, kind, subject_kind, subject_ids, payload, created_at
FROM (
    SELECT id, position, kind, subject_kind, subject_ids, payload::text AS payload, created_at,
           sum(cardinality(subject_ids)) OVER (ORDER BY position, id) - cardinality(subject_ids) AS earlier
    FROM outbox_events
    WHERE workspace_id = :workspace_id AND (position, id) >= (:position, :id)
      AND (position, id) <= (:last_position, :last_id) AND (:types::text[] IS NULL OR kind = ANY(:types::text[]))
) AS chosen
WHERE earlier < :wanted
ORDER BY position, id
""")

# A single row.
_ROW = sql("""
SELECT subject_ids, payload::text AS payload FROM outbox_events
WHERE workspace_id = :workspace_id AND id = :event_id AND position IS NOT NULL
""")


FEED_SCOPE: Final = "events"
"""Scope of the feed's cursors, the same in API and command line."""


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """Position of a reader: a row, the number of its subjects already read, and the time."""

    position: int
    id: UUID
    subjects: int
    at: datetime

    @classmethod
    def of(cls, cursor: Position) -> Self:
        """The position of a cursor. Raises: CursorExpired: another release wrote it."""
        written = _WRITTEN.fullmatch(cursor.value)
        if written is None:
            raise CursorExpired
        position, subjects, at = written.groups()
        try:
            return cls(int(position), cursor.id, int(subjects), parse_timestamp(at))
        except ValueError as error:
            raise CursorExpired from error

    @property
    def cursor(self) -> Position:
        """The cursor of the position."""
        return Position(f"{self.position} {self.subjects} {self.at.isoformat()}", self.id)


_OLDEST = FeedPosition(0, _NO_ID, 0, datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events, the position after them, and whether more follow."""

    items: Sequence[EventView]
    after: Position
    more: bool


async def read_events(
    tx: Transaction, actor: Actor, *, types: Sequence[str] | None, after: Position | None, limit: int
) -> FeedPage:
    """Up to `limit` events after a position, or from the oldest. `tx` reads one snapshot. Raises: CursorExpired."""
    start = FeedPosition.of(after) if after is not None else _OLDEST
    sought = {"workspace_id": actor.workspace_id, "position": start.position, "id": start.id}
    (scan,) = await tx.all(_SCAN, {**sought, "most": SCANNED})
    if start.at < scan.purged_until or start.position > scan.end_position:
        raise CursorExpired
    decoded_events: list[tuple[Row, int, EventView]] = []
    if scan.scanned:
        until = {"last_position": scan.position, "last_id": scan.id}
        wanted = limit + 1 + min(start.subjects, MAX_SUBJECTS)
        for row in await tx.all(_READ, {**sought, **until, "types": types, "wanted": wanted}):
            read = start.subjects if row.id == start.id else 0
            decoded_events += [(row, place, view) for place, view in enumerate(_views(row)) if place >= read]
    if len(decoded_events) > limit:
        row, place, _ = decoded_events[limit - 1]
        return FeedPage(
            [view for _, _, view in decoded_events[:limit]],
            FeedPosition(row.position, row.id, place + 1, scan.at).cursor,
            more=True,
        )
    more = scan.scanned == SCANNED
    end = (
        FeedPosition(scan.position, scan.id, _ALL, scan.at)
        if more
        else FeedPosition(scan.end_position, _NO_ID, 0, scan.at)
    )
    return FeedPage([view for _, _, view in decoded_events], end.cursor, more)


async def stored_events(tx: Transaction, actor: Actor, event_type: EventType[D], ref: EventRef) -> list[Event[D]]:
    """The events of a row, for a subscribed job. Raises: Terminal: the row is gone, or unreadable."""
    row = await tx.first(_ROW, {"workspace_id": actor.workspace_id, "event_id": ref.event_id})
    if row is None:
        raise Terminal("The event has been removed: it was kept for as long as LEADFLOOD_EVENT_RETENTION_DAYS says.")
    try:
        return decoded(event_type, actor.workspace_id, row.subject_ids, row.payload)
    except UnreadableEvents as error:
        raise Terminal(str(error)) from error


def _views(row: Row) -> list[EventView]:
    """The events of a row. An unreadable one must not hide its neighbors."""
    try:
        return [
            EventView(
                id=f"{row.id}.{place}",
                type=row.kind,
                subject=EventSubject(kind=row.subject_kind, id=subject_id),
                at=row.created_at,
                actor=EventActor(kind=said.actor.kind, id=said.actor.id),
                data=said.data,
            )
            for place, (subject_id, said) in enumerate(unfolded(row.subject_ids, row.payload), 1)
        ]
    except UnreadableEvents:
        _log.exception("events.unreadable", event_id=str(row.id))
        return []
