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
from leadflood.domains.exports.errors import TooManyColumns
from leadflood.domains.exports.models import MAX_COLUMNS, Encoder, ExportFormat, ExportRecord, resolved
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.queries.search import scan_leads
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
    filters: LeadFilter,
    columns: Sequence[str],
    kind: ExportFormat,
    max_count: int | None = None,
) -> ExportScan:
    """Count the leads, and list the custom fields that stars stand for. Raises: TooManyColumns.

    Args:
        database: where the leads are.
        actor: who asks, and in which workspace.
        filters: which leads.
        columns: as they were asked for.
        kind: NDJSON keeps the stars, because each of its lines has its own fields.
        max_count: stop after one lead more than this.
    """
    total, keys, after = 0, set[str](), None
    while True:
        size = SCAN_BATCH if max_count is None else min(SCAN_BATCH, max_count + 1 - total)
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            page = await scan_leads(tx, actor, filters=filters, after=after, limit=size)
        total += page.count
        keys |= page.custom_keys
        after = page.last
        if page.count < size or (max_count is not None and total > max_count):
            break
    if kind is ExportFormat.NDJSON:
        return ExportScan(total, list(columns))
    named = resolved(columns, keys)
    if len(named) > MAX_COLUMNS:
        raise TooManyColumns(MAX_COLUMNS)
    return ExportScan(total, named)


def encoder(kind: ExportFormat, columns: Sequence[str], *, bom: bool) -> Encoder:
    """The encoder of the format. `columns`: from a scan. Close it when done."""
    if kind is ExportFormat.CSV:
        return CsvEncoder(columns, bom=bom)
    return NdjsonEncoder(columns) if kind is ExportFormat.NDJSON else ParquetEncoder(columns)


async def batches(
    database: Database, actor: Actor, *, filters: LeadFilter, after: Position | None = None, enriched: bool
) -> AsyncIterator[list[ExportRecord]]:
    """The leads that match a filter, from a position on. `enriched`: with their chosen enrichment values."""
    while True:
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            records = await queries.next_records(
                tx, actor, filters=filters, after=after, limit=BATCH, enriched=enriched
            )
        if records:
            yield records
            after = queries.position_of(records[-1])
        if len(records) < BATCH:
            return
