"""SQL that reads exports, and the leads that go into them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from leadflood.domains.enrichment.queries import chosen_values
from leadflood.domains.exports.contracts import ExportView
from leadflood.domains.exports.errors import ExportNotFound
from leadflood.domains.exports.models import ExportFormat, ExportStatus, Record, file_name
from leadflood.domains.exports.tables import export_parts, exports
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries.matching import matching_rows
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

ORDER = LeadSort.NEWEST
"""The one order of files: no lead moves in it while it is walked through, and none that comes in is met."""


async def get_export(tx: Transaction, actor: Actor, *, export_id: UUID) -> ExportView:
    """Raises: ExportNotFound."""
    row = await tx.first(_living(actor).where(exports.c.id == export_id))
    if row is None:
        raise ExportNotFound
    return _view(row)


async def list_exports(tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int) -> Page[ExportView]:
    """The exports of the workspace whose files are not removed yet, newest first."""
    query = _living(actor)
    if after is not None:
        query = query.where(exports.c.id < after.id)
    rows = await tx.all(query.order_by(exports.c.id.desc()).limit(limit + 1))
    return cut(rows, limit, lambda row: Position.at(row.created_at, row.id)).map(_view)


async def count_exports(tx: Transaction, actor: Actor) -> int:
    """How many exports there are whose files are not removed yet."""
    found: int = await tx.scalar(select(func.count()).select_from(_living(actor).subquery()))
    return found


async def read_part(tx: Transaction, actor: Actor, *, export_id: UUID, number: int) -> bytes | None:
    """A piece of a file; None after the last."""
    query = select(export_parts.c.data).where(
        export_parts.c.workspace_id == actor.workspace_id,
        export_parts.c.export_id == export_id,
        export_parts.c.number == number,
    )
    found: bytes | None = await tx.scalar(query)
    return found


async def next_records(
    tx: Transaction, actor: Actor, *, only: LeadFilter, after: Position | None, limit: int, enriched: bool
) -> list[Record]:
    """The next leads of a walk, with what enrichment chose for them if it is wanted."""
    rows = await matching_rows(tx, actor, only=only, sort=ORDER, after=after, limit=limit)
    known = await chosen_values(tx, actor, lead_ids=[row.id for row in rows]) if enriched and rows else {}
    return [Record(row, known.get(row.id, {})) for row in rows]


def position_of(record: Record) -> Position:
    """Where a walk goes on after this lead."""
    return Position.at(record.lead.created_at, record.lead.id)


def _living(actor: Actor) -> Select[Any]:
    return select(exports).where(exports.c.workspace_id == actor.workspace_id, exports.c.expires_at > func.now())


def _view(row: Row) -> ExportView:
    kind = ExportFormat(row.format)
    return ExportView(
        id=row.id,
        filename=file_name(row.created_at.date(), kind),
        format=kind,
        columns=row.columns,
        filter=row.filter,
        status=ExportStatus(row.status),
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        done=row.done,
        total=row.total,
        size_bytes=row.size_bytes,
        error=row.error,
        created_at=row.created_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
    )
