"""SQL that reads exports, and the leads that go into them."""

from uuid import UUID

from leadflood.domains.enrichment.queries import chosen_values
from leadflood.domains.exports.contracts import ExportView
from leadflood.domains.exports.errors import ExportNotFound
from leadflood.domains.exports.models import ExportFormat, ExportRecord, ExportStatus, file_name
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries import next_leads
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, page_by_id

ORDER = LeadSort.NEWEST
"""The order of files: no lead moves in it during a scan, and new leads are not met."""


# Exports whose files are not removed yet.
_EXPORTS = sql("""
SELECT id, format, columns, filter, status, actor_kind, actor_id, done, total, size_bytes, error, created_at,
       finished_at, expires_at
FROM exports WHERE workspace_id = :workspace_id AND expires_at > now() AND {condition}
""")

# An export by id.
EXPORT = assemble(_EXPORTS, condition=sql("id = :id"))

# A page of the exports, newest first.
EXPORTS = assemble(_EXPORTS, condition=sql("(:after::uuid IS NULL OR id < :after) ORDER BY id DESC LIMIT :limit"))

# The number of exports.
COUNT = sql("SELECT count(*) FROM exports WHERE workspace_id = :workspace_id AND expires_at > now()")

# A part of the file of an export.
PART = sql("""
SELECT data FROM export_parts WHERE workspace_id = :workspace_id AND export_id = :id AND number = :number
""")


async def get_export(tx: Transaction, actor: Actor, *, export_id: UUID) -> ExportView:
    """Raises: ExportNotFound."""
    row = await tx.first(EXPORT, {"workspace_id": actor.workspace_id, "id": export_id})
    if row is None:
        raise ExportNotFound
    return _view(row)


async def list_exports(tx: Transaction, actor: Actor, *, after: Position | None = None, limit: int) -> Page[ExportView]:
    """The exports of the workspace whose files are not removed yet, newest first."""
    page = await page_by_id(tx, EXPORTS, {"workspace_id": actor.workspace_id}, after=after, limit=limit)
    return page.map(_view)


async def count_exports(tx: Transaction, actor: Actor) -> int:
    """Number of exports whose files are not yet removed."""
    return int(await tx.scalar(COUNT, {"workspace_id": actor.workspace_id}))


async def read_part(tx: Transaction, actor: Actor, *, export_id: UUID, number: int) -> bytes | None:
    """A part of a file; None after the last."""
    sought = {"workspace_id": actor.workspace_id, "id": export_id, "number": number}
    data: bytes | None = await tx.scalar(PART, sought)
    return data


async def next_records(
    tx: Transaction, actor: Actor, *, filters: LeadFilter, after: Position | None, limit: int, enriched: bool
) -> list[ExportRecord]:
    """The next leads of a scan, with their chosen enrichment values if requested."""
    leads = await next_leads(tx, actor, filters=filters, sort=ORDER, after=after, limit=limit)
    known = await chosen_values(tx, actor, lead_ids=[lead.id for lead in leads]) if enriched and leads else {}
    return [ExportRecord(lead, known.get(lead.id, {})) for lead in leads]


def position_of(record: ExportRecord) -> Position:
    """Position from which to continue after this lead."""
    return Position.at(record.lead.created_at, record.lead.id)


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
        processed=row.done,
        total=row.total,
        size_bytes=row.size_bytes,
        error=row.error,
        created_at=row.created_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
    )
