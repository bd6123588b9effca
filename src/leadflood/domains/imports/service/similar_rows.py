"""Rows of one file that are the same person under different emails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from leadflood.domains.duplicates.service.list_comparison import (
    KnownWeights,
    certain_pairs,
    known_weights,
    people_of,
    weights_of,
)
from leadflood.domains.imports.models import notices
from leadflood.domains.imports.models.column_detection import Notice
from leadflood.domains.imports.store import StoredImport, similar_rows
from leadflood.domains.imports.store.similar_rows import PersonRow
from leadflood.kernel.db.transaction import Transaction

MAX_COMPARED: Final = 25_000
"""Maximum rows of a file that are compared, in about four seconds. Scans find other duplicates after the import."""


@dataclass(frozen=True, slots=True)
class ComparedRows:
    """The rows to compare. `complete`: whether they are all rows of the file with a lead."""

    rows: Sequence[PersonRow]
    known: KnownWeights
    complete: bool


async def load_rows(tx: Transaction, found: StoredImport) -> ComparedRows:
    """The first staged rows of an import."""
    known = await known_weights(tx, found.actor)
    rows = await similar_rows.people(tx, found, limit=MAX_COMPARED + 1)
    return ComparedRows(rows[:MAX_COMPARED], known, len(rows) <= MAX_COMPARED)


async def compare_rows(given: ComparedRows) -> list[Notice]:
    """Notices about rows that are one person for certain. They are not rejected: a person decides what to merge."""
    rows = given.rows
    people = people_of((row.values for row in rows), given.known)
    pairs = await certain_pairs(people, await weights_of(people, given.known))
    named = [(rows[one].named, rows[two].named) for one, two in pairs]
    return notices.of_rows(named, compared=len(rows), complete=given.complete)


async def save_notices(tx: Transaction, found: StoredImport, remarked: Sequence[Notice]) -> None:
    """Store the notices about the rows of a locked import, in place of those of an earlier preview."""
    await similar_rows.replace_notices(tx, found, codes=notices.ABOUT_ROWS, notices=remarked)
