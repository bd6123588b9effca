"""Rejected rows as a file: the original columns, and the error in an additional one."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import RowError
from leadflood.domains.imports.contracts.rows import TOO_MANY_CELLS
from leadflood.domains.imports.models.column_detection import REASON_COLUMN
from leadflood.domains.imports.models.fields import Target, custom_key_of
from leadflood.domains.imports.models.format import Delimiter, guard_of
from leadflood.domains.leads.labels import label_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file of rejected rows: name and contents."""

    filename: str
    pieces: AsyncIterator[bytes]


async def rejected_file(database: Database, actor: Actor, *, import_id: UUID) -> RejectedFile:
    """The rejected rows as CSV (UTF-8 with byte order mark), with the delimiter of the original file.

    No cell of it runs as a formula; importing it again reads what the original file had. Raises: ImportNotFound.
    """
    async with database.transaction(actor.workspace_id, read_only=True) as tx:
        found = await queries.get_import(tx, actor, import_id=import_id)
    headers = [column.header or _name_of(column.target) for column in found.columns]
    stem = found.filename.rpartition(".")[0] or found.filename
    delimiter = (found.format and found.format.delimiter) or Delimiter.COMMA
    return RejectedFile(f"{stem}-rejected.csv", _pieces(database, actor, import_id, headers, delimiter))


async def _pieces(
    database: Database, actor: Actor, import_id: UUID, headers: list[str], delimiter: str
) -> AsyncIterator[bytes]:
    yield "\ufeff".encode() + _lines([[*headers, REASON_COLUMN]], delimiter)
    async for rows in queries.rejected_rows(database, actor, import_id=import_id):
        lines: list[list[str]] = []
        for row in rows:
            cells = [*(row.cells or [row.email or ""])][: len(headers)]
            lines.append([*cells, *[""] * (len(headers) - len(cells)), " ".join(map(_reason, row.errors))])
        yield _lines(lines, delimiter)


def _name_of(target: str) -> str:
    """A name for a column without header, recognized when the file is imported again."""
    return "" if target == Target.IGNORE else label_of(custom_key_of(target) or target)


def _reason(error: RowError) -> str:
    if error.code == TOO_MANY_CELLS:
        return f"{error.message} Cells beyond: {error.value}."
    return f"{label_of(error.field)}: {error.message}" if error.field else error.message


def _lines(rows: list[list[str]], delimiter: str) -> bytes:
    text = io.StringIO(newline="")
    guard = guard_of(delimiter)
    csv.writer(text, delimiter=delimiter).writerows([guard.neutralise(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
