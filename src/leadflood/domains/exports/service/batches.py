"""Scan of the leads of an export: batch by batch, each read in a short transaction.

A scan is not a snapshot. It goes from the newest lead to the oldest, so that it meets no lead twice and no new ones; a
lead that is changed or deleted meanwhile is written in its state at that time.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from leadflood.domains.exports import queries
from leadflood.domains.exports.adapters.csv_format import CsvEncoder
from leadflood.domains.exports.adapters.ndjson_format import NdjsonEncoder
from leadflood.domains.exports.adapters.parquet_format import ParquetEncoder
from leadflood.domains.exports.adapters.xlsx_format import XlsxEncoder
from leadflood.domains.exports.errors import TooManyColumns
from leadflood.domains.exports.models import (
    MAX_COLUMNS,
    Encoder,
    ExportFormat,
    ExportLayout,
    ExportRecord,
    Selection,
    resolved,
)
from leadflood.domains.exports.service.table import table_columns
from leadflood.domains.fields.queries import custom_fields
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.queries import leads_by_id
from leadflood.domains.leads.queries.search import scan_leads
from leadflood.domains.stages.queries import stage_names
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.pagination import Position

BATCH = 1000
"""Maximum number of leads in memory."""
SCAN_BATCH = 50_000


@dataclass(frozen=True, slots=True)
class ExportScan:
    """Number of leads that match a filter, and the columns of their file."""

    total: int
    columns: list[str]


async def scan_for_export(
    database: Database,
    actor: Actor,
    *,
    selection: Selection,
    layout: ExportLayout,
    max_count: int | None = None,
) -> ExportScan:
    """Count the leads, and list the custom fields that stars stand for. Raises: TooManyColumns.

    Args:
        database: where the leads are.
        actor: who asks, and in which workspace.
        selection: which leads.
        layout: of the file. NDJSON keeps the stars, because each of its lines has its own fields.
        max_count: stop after one lead more than this.
    """
    if selection.lead_ids is None:
        total, keys = await _count(database, actor, selection.filters, max_count)
    else:
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            leads = await leads_by_id(tx, actor, lead_ids=selection.lead_ids)
        total, keys = len(leads), {key for lead in leads.values() for key in lead.custom_fields}
    if layout.format is ExportFormat.NDJSON:
        return ExportScan(total, list(layout.columns))
    named = resolved(layout.columns, keys)
    if len(named) > MAX_COLUMNS:
        raise TooManyColumns(MAX_COLUMNS)
    return ExportScan(total, named)


async def _count(database: Database, actor: Actor, filters: LeadFilter, max_count: int | None) -> tuple[int, set[str]]:
    """Number of leads that match, and the keys of their custom fields."""
    total, keys, after = 0, set[str](), None
    while True:
        size = SCAN_BATCH if max_count is None else min(SCAN_BATCH, max_count + 1 - total)
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            page = await scan_leads(tx, actor, filters=filters, after=after, limit=size)
        total += page.count
        keys |= page.custom_keys
        after = page.last
        if page.count < size or (max_count is not None and total > max_count):
            return total, keys


async def open_encoder(database: Database, actor: Actor, *, layout: ExportLayout, columns: Sequence[str]) -> Encoder:
    """The encoder of the format. `columns`: from a scan. Close it when done."""
    if layout.format is ExportFormat.NDJSON:
        return NdjsonEncoder(columns)
    if layout.format is ExportFormat.PARQUET:
        return ParquetEncoder(columns)
    async with database.transaction(actor.workspace_id, read_only=True) as tx:
        fields = await custom_fields(tx, actor.workspace_id, subject=LEAD)
        stages = await stage_names(tx, actor)
    table = table_columns(columns, fields, stages, layout.headers)
    return CsvEncoder(table, bom=layout.bom) if layout.format is ExportFormat.CSV else XlsxEncoder(table)


async def batches(
    database: Database,
    actor: Actor,
    *,
    selection: Selection,
    columns: Sequence[str],
    after: Position | None = None,
) -> AsyncIterator[list[ExportRecord]]:
    """The selected leads from a position on, with what the columns need."""
    while True:
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            records = await queries.next_records(
                tx, actor, selection=selection, columns=columns, after=after, limit=BATCH
            )
        if records:
            yield records
            after = queries.position_of(records[-1])
        if len(records) < BATCH:
            return
