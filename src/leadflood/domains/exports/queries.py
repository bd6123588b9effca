"""SQL that reads exports, and the leads that go into them."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.enrichment.queries import chosen_values
from leadflood.domains.exports.contracts import ExportView
from leadflood.domains.exports.errors import ExportNotFound
from leadflood.domains.exports.models import (
    ExportFormat,
    ExportRecord,
    ExportStatus,
    HeaderStyle,
    Selection,
    file_name,
    wants_enriched,
    wants_found,
    wants_people,
)
from leadflood.domains.identity.queries import member_addresses
from leadflood.domains.leads.catalog import FINDABLE_FIELDS
from leadflood.domains.leads.contracts import ActorView, LeadView
from leadflood.domains.leads.contracts.filters import LeadSort
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.queries import leads_by_id, next_leads
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, page_by_id

ORDER = LeadSort.NEWEST
"""The order of files: no lead moves in it during a scan, and new leads are not met."""


# Exports whose files are not removed yet.
_EXPORTS = sql("""
SELECT id, format, columns, headers, filter, cardinality(lead_ids) AS lead_count, status, actor_kind, actor_id, done,
       total, size_bytes, error, created_at, finished_at, expires_at
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
    tx: Transaction, actor: Actor, *, selection: Selection, columns: Sequence[str], after: Position | None, limit: int
) -> list[ExportRecord]:
    """The next leads of a scan, with what the columns need of other domains: one statement for each."""
    if selection.lead_ids is None:
        leads = await next_leads(tx, actor, filters=selection.filters, sort=ORDER, after=after, limit=limit)
    else:
        leads = await _selected(tx, actor, selection.lead_ids, after)
    if not leads:
        return []
    ids = [lead.id for lead in leads]
    known = await chosen_values(tx, actor, lead_ids=ids) if wants_enriched(columns) else {}
    people = await member_addresses(tx, actor.workspace_id) if wants_people(columns) else {}
    files = LEAD_EXTENSIONS.file_columns
    loaded = await LEAD_EXTENSIONS.load(tx, actor, [name for name in columns if name in files], ids)
    named = {name: files[name].names or list for name in loaded}
    fills = wants_found(columns)
    return [
        ExportRecord(
            lead.model_copy(update=dict(lead.found)) if fills and lead.found else lead,
            known.get(lead.id, {}),
            people,
            {name: named[name](loaded[name][lead.id]) for name in loaded},
            [field.api_name for field in FINDABLE_FIELDS if field.name in lead.found] if fills else (),
        )
        for lead in leads
    ]


async def _selected(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID], after: Position | None) -> list[LeadView]:
    """Those of the leads that are active, newest first. They fit into one batch: nothing comes after it."""
    if after is not None:
        return []
    found = await leads_by_id(tx, actor, lead_ids=lead_ids)
    return sorted(found.values(), key=lambda lead: (lead.created_at, lead.id), reverse=True)


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
        headers=HeaderStyle(row.headers),
        filter=row.filter,
        lead_count=row.lead_count,
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
