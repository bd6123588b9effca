"""SQL of the pages that a lookup has read: kept as long as its answer is good, and deleted with it."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment.models.read_pages import ReadPage
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Keep the pages of an answer.
SAVE = sql("INSERT INTO lookup_pages VALUES (:workspace_id, :lookup_id, :pages, :expires_at)")

# The pages of an answer.
PAGES = sql("SELECT pages FROM lookup_pages WHERE workspace_id = :workspace_id AND lookup_id = :lookup_id")

# Delete pages whose answer has expired.
PURGE = sql("""
DELETE FROM lookup_pages WHERE (workspace_id, lookup_id) IN (
    SELECT workspace_id, lookup_id FROM lookup_pages WHERE expires_at < now() LIMIT :batch)
""")


async def save(
    tx: Transaction, workspace_id: UUID, lookup_id: UUID, pages: Sequence[ReadPage], *, expires_at: datetime
) -> None:
    """Keep the pages of an answer until it expires."""
    listed = [[page.url, page.text, page.read_at.isoformat()] for page in pages]
    packed = zlib.compress(json.dumps(listed).encode("ascii"))
    values = {"pages": packed, "expires_at": expires_at}
    await tx.execute(SAVE, {"workspace_id": workspace_id, "lookup_id": lookup_id, **values})


async def pages_of(tx: Transaction, workspace_id: UUID, lookup_id: UUID) -> tuple[ReadPage, ...]:
    """The pages of an answer; none if they were not kept."""
    packed = await tx.scalar(PAGES, {"workspace_id": workspace_id, "lookup_id": lookup_id})
    if packed is None:
        return ()
    listed = json.loads(zlib.decompress(packed))
    return tuple(ReadPage(url, text, datetime.fromisoformat(read_at)) for url, text, read_at in listed)


async def purge(tx: Transaction, batch: int) -> int:
    """Delete the pages of up to `batch` expired answers. Requires a system transaction."""
    return await tx.changed(PURGE, {"batch": batch})
