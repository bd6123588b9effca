"""Hosts in the database, for all workers together.

Calls of the companies that a worker reads at the same time share statements.
"""

from collections.abc import Callable, Sequence
from typing import Final

from leadflood.kernel.batching import Batcher
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.door.hosts import (
    KEPT_SECONDS,
    MAX_WAIT_SECONDS,
    ROBOTS_ERROR_SECONDS,
    ROBOTS_SECONDS,
    KnownSite,
    Spacing,
    StoredRobots,
    domains_of,
    host_of,
)

_MAX_BATCH: Final = 50
"""Calls that share a statement."""
_MAX_KEPT: Final = 500
"""Sites that a process keeps in memory."""
_MAX_KEPT_TEXT: Final = 20_000
"""Characters of a robots.txt that is kept in memory."""

# Reserve the next place of each host or address whose place is not too far away, and return the seconds until then
# (generic cell rate algorithm, ITU-T I.371, annex A, with a burst of one). The rows are locked in the order of their
# names. The clock is the one of now, not of the beginning of the transaction, because locks may have been waited for.
_RESERVE = sql("""
INSERT INTO door_hosts AS h (host, spacing, next_at)
SELECT w.host, w.spacing, clock_timestamp() + make_interval(secs => w.spacing)
FROM unnest(:hosts::text[], :spacings::float8[]) AS w (host, spacing) ORDER BY w.host
ON CONFLICT (host) DO UPDATE
SET next_at = greatest(h.next_at, clock_timestamp()) + make_interval(secs => excluded.spacing),
    spacing = excluded.spacing
WHERE h.next_at <= clock_timestamp() + make_interval(secs => :longest)
RETURNING host, extract(epoch FROM next_at - make_interval(secs => spacing) - clock_timestamp())::float8 AS wait
""")

# The seconds until hosts and addresses have a place again.
_WAIT = sql("""
SELECT host, extract(epoch FROM next_at - clock_timestamp())::float8 AS wait
FROM door_hosts WHERE host = ANY (:hosts::text[])
""")

# Whether one of the domains of each origin is blocked, and its robots.txt, if that is not too old.
_SITES = sql("""
SELECT EXISTS (SELECT FROM door_blocked_hosts WHERE host = ANY (string_to_array(w.domains, ' '))) AS blocked,
       r.body, r.reachable
FROM unnest(:origins::text[], :domains::text[]) WITH ORDINALITY AS w (origin, domains, place)
LEFT JOIN door_robots r ON r.origin = w.origin
  AND fetched_at > now() - make_interval(secs => CASE WHEN reachable THEN :kept::float8 ELSE :kept_error::float8 END)
ORDER BY w.place
""")

# Store robots.txt files, in the order of their origins.
_STORE_ROBOTS = sql("""
INSERT INTO door_robots (origin, body, reachable)
SELECT * FROM unnest(:origins::text[], :bodies::text[], :reachable::boolean[]) AS w (origin, body, reachable)
ORDER BY origin
ON CONFLICT (origin) DO UPDATE SET body = excluded.body, reachable = excluded.reachable, fetched_at = now()
""")

# Delete hosts that may be contacted again anyway.
_PURGE_HOSTS = sql("DELETE FROM door_hosts WHERE next_at < now() - interval '1 day'")
# Delete robots.txt files that are too old.
_PURGE_ROBOTS = sql("DELETE FROM door_robots WHERE fetched_at < now() - interval '2 days'")


async def purge_hosts(tx: Transaction) -> int:
    """Delete state of hosts that is not needed any more; returns the number of rows. Requires a system transaction."""
    return await tx.changed(_PURGE_HOSTS) + await tx.changed(_PURGE_ROBOTS)


class PostgresHosts:
    """Hosts of all processes of an installation."""

    def __init__(self, database: Database, clock: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._clock = clock
        self._reserving = Batcher(self._reserve, max_size=_MAX_BATCH)
        self._reading = Batcher(self._read, max_size=_MAX_BATCH)
        self._storing = Batcher(self._store, max_size=_MAX_BATCH)
        self._kept: dict[str, tuple[float, KnownSite]] = {}

    async def reserve(self, spacings: Sequence[Spacing]) -> float:
        """See `Hosts.reserve`."""
        while (wait := await self._reserving(spacings)) is None:
            pass
        return wait

    async def site(self, origin: str) -> KnownSite:
        """See `Hosts.site`."""
        known = self._kept_site(origin)
        if known is None or known.robots is None:  # another process may have read it
            known = await self._reading(origin)
            self._keep(origin, known)
        return known

    async def store_robots(self, origin: str, robots: StoredRobots) -> None:
        """See `Hosts.store_robots`."""
        await self._storing((origin, robots))
        known = self._kept_site(origin)
        if known is not None:
            self._keep(origin, KnownSite(known.blocked, robots))

    async def _reserve(self, calls: Sequence[Sequence[Spacing]]) -> list[float | None]:
        """The waits of calls; None for one with a host or address of an earlier one, which has to be made again.

        A statement locks all of its rows in order, and writes none of them twice.
        """
        seconds: dict[str, float] = {}
        served = []
        for spacings in calls:
            served.append(all(spacing.key not in seconds for spacing in spacings))
            if served[-1]:
                seconds |= {spacing.key: spacing.seconds for spacing in spacings}
        values = {"hosts": [*seconds], "spacings": [*seconds.values()], "longest": MAX_WAIT_SECONDS}
        async with self._database.system_statement() as tx:
            waits = {row.host: row.wait for row in await tx.all(_RESERVE, values)}
            if busy := [key for key in seconds if key not in waits]:
                rows = await tx.all(_WAIT, {"hosts": busy})
                waits |= {row.host: max(MAX_WAIT_SECONDS + 1, row.wait) for row in rows}
        return [
            max([0.0, *(waits[spacing.key] for spacing in spacings)]) if now else None
            for spacings, now in zip(calls, served, strict=True)
        ]

    async def _read(self, origins: Sequence[str]) -> list[KnownSite]:
        domains = [" ".join(domains_of(host_of(origin))) for origin in origins]
        kept = {"kept": ROBOTS_SECONDS, "kept_error": ROBOTS_ERROR_SECONDS}
        async with self._database.system_statement() as tx:
            rows = await tx.all(_SITES, {"origins": [*origins], "domains": domains, **kept})
        return [
            KnownSite(row.blocked, None if row.body is None else StoredRobots(row.body, row.reachable)) for row in rows
        ]

    async def _store(self, read: Sequence[tuple[str, StoredRobots]]) -> list[None]:
        last = dict(read)
        values = {
            "origins": [*last],
            "bodies": [robots.text.replace("\0", "") for robots in last.values()],  # which no text in PostgreSQL has
            "reachable": [robots.reachable for robots in last.values()],
        }
        async with self._database.system_statement() as tx:
            await tx.execute(_STORE_ROBOTS, values)
        return [None] * len(read)

    def _kept_site(self, origin: str) -> KnownSite | None:
        until, known = self._kept.get(origin, (0.0, None))
        return known if until > self._clock() else None

    def _keep(self, origin: str, known: KnownSite) -> None:
        self._kept.pop(origin, None)
        if known.robots is None or len(known.robots.text) <= _MAX_KEPT_TEXT:
            self._kept[origin] = self._clock() + KEPT_SECONDS, known
        if len(self._kept) > _MAX_KEPT:
            del self._kept[next(iter(self._kept))]
