"""Check that the database accepts writes, by writing: a full disk and a read-only server still answer reads."""

import asyncio

from leadflood.kernel.clock import monotonic
from leadflood.kernel.crypto import random_hex
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.ids import new_id

PROBE_SECONDS = 2.0
"""How long a result is reused, so that probes of a load balancer cost almost nothing."""
_FORCED_BYTES = 262_144

# One row per process: two processes never wait for each other. Rows of ended processes go after a day.
_PROBE = sql("""
WITH outdated AS (
    DELETE FROM write_probes WHERE process_id IN (
        SELECT process_id FROM write_probes WHERE at < now() - interval '1 day' LIMIT 10 FOR UPDATE SKIP LOCKED
    )
)
INSERT INTO write_probes (process_id, at, payload) VALUES (:process_id, now(), :payload)
ON CONFLICT (process_id) DO UPDATE SET at = excluded.at, payload = excluded.payload
""")


class Writability:
    """Checks one database at most once every two seconds, for any number of callers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._process_id = new_id()
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._fault: Unavailable | None = None

    async def check(self) -> None:
        """Commit a small write. After a refused write, a large one that needs new space on disk.

        Raises: Unavailable: the write was refused or did not end; the detail says why.
        """
        async with self._lock:
            if monotonic() >= self._until:
                self._fault = await self._write()
                self._until = monotonic() + PROBE_SECONDS
        if self._fault is not None:
            raise self._fault

    async def _write(self) -> Unavailable | None:
        forced = self._database.writes_refused
        payload = bytes.fromhex(random_hex(_FORCED_BYTES)) if forced else None
        try:
            async with self._database.system() as tx:
                await tx.execute(_PROBE, {"process_id": self._process_id, "payload": payload})
        except Unavailable as error:
            return error
        if forced:
            self._database.writes_refused = False
        return None
