"""Hosts in the database, for all workers together."""

from collections.abc import Sequence

from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.door.hosts import (
    MAX_WAIT_SECONDS,
    ROBOTS_ERROR_SECONDS,
    ROBOTS_SECONDS,
    Spacing,
    StoredRobots,
    domains_of,
)

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
RETURNING extract(epoch FROM next_at - make_interval(secs => spacing) - clock_timestamp())::float8 AS wait
""")

# The seconds until hosts and addresses have a place again.
_WAIT = sql("""
SELECT extract(epoch FROM max(next_at) - clock_timestamp())::float8 AS wait
FROM door_hosts WHERE host = ANY (:hosts::text[])
""")

# The robots.txt of an origin that is not too old.
_ROBOTS = sql("""
SELECT body, reachable FROM door_robots
WHERE origin = :origin
  AND fetched_at > now() - make_interval(secs => CASE WHEN reachable THEN :kept::float8 ELSE :kept_error::float8 END)
""")

# Store a robots.txt.
_STORE_ROBOTS = sql("""
INSERT INTO door_robots (origin, body, reachable) VALUES (:origin, :body, :reachable)
ON CONFLICT (origin) DO UPDATE SET body = excluded.body, reachable = excluded.reachable, fetched_at = now()
""")

# Whether one of the domains is blocked.
_BLOCKED = sql("SELECT true FROM door_blocked_hosts WHERE host = ANY (:domains::text[]) LIMIT 1")

# Delete hosts that may be contacted again anyway.
_PURGE_HOSTS = sql("DELETE FROM door_hosts WHERE next_at < now() - interval '1 day'")
# Delete robots.txt files that are too old.
_PURGE_ROBOTS = sql("DELETE FROM door_robots WHERE fetched_at < now() - interval '2 days'")


async def purge_hosts(tx: Transaction) -> int:
    """Delete state of hosts that is not needed any more; returns the number of rows. Requires a system transaction."""
    return await tx.changed(_PURGE_HOSTS) + await tx.changed(_PURGE_ROBOTS)


class PostgresHosts:
    """Hosts of all processes of an installation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def reserve(self, spacings: Sequence[Spacing]) -> float:
        """See `Hosts.reserve`."""
        hosts = [spacing.key for spacing in spacings]
        values = {"hosts": hosts, "spacings": [spacing.seconds for spacing in spacings], "longest": MAX_WAIT_SECONDS}
        async with self._database.system() as tx:
            reserved = await tx.all(_RESERVE, values)
            if len(reserved) < len(hosts):
                return max(MAX_WAIT_SECONDS + 1, float(await tx.scalar(_WAIT, {"hosts": hosts})))
        return max(0.0, *(float(row.wait) for row in reserved))

    async def robots_of(self, origin: str) -> StoredRobots | None:
        """See `Hosts.robots_of`."""
        values = {"origin": origin, "kept": ROBOTS_SECONDS, "kept_error": ROBOTS_ERROR_SECONDS}
        async with self._database.system(read_only=True) as tx:
            row = await tx.first(_ROBOTS, values)
        return None if row is None else StoredRobots(row.body, row.reachable)

    async def store_robots(self, origin: str, robots: StoredRobots) -> None:
        """See `Hosts.store_robots`."""
        body = robots.text.replace("\0", "")  # which no text in PostgreSQL has
        async with self._database.system() as tx:
            await tx.execute(_STORE_ROBOTS, {"origin": origin, "body": body, "reachable": robots.reachable})

    async def is_blocked(self, host: str) -> bool:
        """See `Hosts.is_blocked`."""
        async with self._database.system(read_only=True) as tx:
            return await tx.scalar(_BLOCKED, {"domains": domains_of(host)}) is not None
