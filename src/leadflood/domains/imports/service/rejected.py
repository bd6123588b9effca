"""Rejected rows as a file: the original columns, and the error in an additional one."""

import csv
import io
from collections.abc import AsyncIterator
from uuid import UUID

from leadflood.domains.imports import queries
from leadflood.domains.imports.models.column_detection import REASON_COLUMN
from leadflood.domains.imports.models.format import neutralise
from leadflood.domains.leads.labels import label_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database


async def rejected_file(database: Database, actor: Actor, *, import_id: UUID) -> AsyncIterator[bytes]:
    """The rejected rows as CSV (UTF-8 with the byte order mark that spreadsheets expect), piece by piece.

    No cell of it runs as a formula; importing it again reads what the original file had. Raises: ImportNotFound.
    """
    async with database.transaction(actor.workspace_id, read_only=True) as tx:
        found = await queries.get_import(tx, actor, import_id=import_id)
    headers = [column.header or f"column_{number}" for number, column in enumerate(found.columns, start=1)]
    return _pieces(database, actor, import_id, headers)


async def _pieces(database: Database, actor: Actor, import_id: UUID, headers: list[str]) -> AsyncIterator[bytes]:
    yield "\ufeff".encode() + _lines([[*headers, REASON_COLUMN]])
    async for rows in queries.rejected_rows(database, actor, import_id=import_id):
        lines: list[list[str]] = []
        for row in rows:
            cells = [*(row.cells or [row.email or ""])][: len(headers)]
            reason = " ".join(
                f"{label_of(fault.field)}: {fault.message}" if fault.field else fault.message for fault in row.errors
            )
            lines.append([*cells, *[""] * (len(headers) - len(cells)), reason])
        yield _lines(lines)


def _lines(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([neutralise(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
