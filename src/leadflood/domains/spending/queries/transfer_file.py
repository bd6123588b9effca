"""Transfers as CSV."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Final

from leadflood.domains.spending.contracts import TransferView
from leadflood.domains.spending.queries.spend import list_transfers
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.formulas import neutralise
from leadflood.kernel.pagination import Position

_CHUNK: Final = 1000
_HEADER: Final = ("at", "kind", "source", "amount_micros", "currency", "sentence", "purchase_id", "id")


async def transfer_lines(database: Database, actor: Actor) -> AsyncIterator[bytes]:
    """All transfers, newest first, as lines of CSV."""
    yield _lines([_HEADER])
    after: Position | None = None
    while True:
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            page = await list_transfers(tx, actor, after=after, limit=_CHUNK)
        yield _lines([_cells(each) for each in page.items])
        after = page.after
        if after is None:
            return


def _cells(each: TransferView) -> list[str]:
    texts = map(neutralise, (each.kind, each.source))
    amount = (str(each.amount_micros), each.currency, neutralise(each.sentence))
    return [each.at.isoformat(), *texts, *amount, str(each.purchase_id), str(each.id)]


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
