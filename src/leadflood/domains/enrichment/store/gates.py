"""SQL of gates: the rate and the circuit breaker of each source, for all workspaces and workers together."""

from datetime import datetime

from leadflood.domains.enrichment.models.breakers import Breaker
from leadflood.domains.enrichment.models.sources import Rate
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Reserve the next call if its time is not too far away, and return the seconds until then (generic cell rate algorithm,
# ITU-T I.371, annex A).
RESERVE = sql("""
INSERT INTO source_gates AS g (source, next_at) VALUES (:source, :now::timestamptz + make_interval(secs => :interval))
ON CONFLICT (source) DO UPDATE
SET next_at = greatest(g.next_at, :now::timestamptz) + make_interval(secs => :interval)
WHERE greatest(g.next_at, :now::timestamptz) <= :now::timestamptz + make_interval(secs => :burst + :most_wait::float8)
RETURNING extract(epoch FROM next_at - :now::timestamptz)::float8 - :interval - :burst AS wait
""")

# The seconds until the next call.
WAIT = sql("""
SELECT extract(epoch FROM next_at - :now::timestamptz)::float8 - :burst AS wait FROM source_gates WHERE source = :source
""")

# Breakers that are not in their initial state.
BREAKERS = sql("""
SELECT source, failures, openings, open_until, reason, keyed FROM source_gates
WHERE failures > 0 OR openings > 0 OR open_until IS NOT NULL OR keyed OR reason <> ''
""")

# The breaker of a source.
BREAKER = sql("SELECT failures, openings, open_until, reason, keyed FROM source_gates WHERE source = :source")

# The breaker of a source, locked.
LOCK_BREAKER = sql("""
SELECT failures, openings, open_until, reason, keyed FROM source_gates WHERE source = :source FOR UPDATE
""")

# Make the row of a source.
ADD = sql("INSERT INTO source_gates (source) VALUES (:source) ON CONFLICT (source) DO NOTHING")

# Replace the breaker of a source, which is locked.
STORE_BREAKER = sql("""
UPDATE source_gates
SET failures = :failures, openings = :openings, open_until = :open_until, reason = :reason, keyed = :keyed
WHERE source = :source
""")

# Let the one call of a half-open breaker pass, unless another caller has just done that.
ADMIT = sql("UPDATE source_gates SET open_until = :trial WHERE source = :source AND open_until = :seen")


async def reserve(tx: Transaction, source: str, rate: Rate, *, now: datetime, most_wait: float) -> float:
    """Reserve the next call of a source, see `Rates.reserve`. Needs the system role."""
    interval = rate.seconds / rate.calls
    values = {"source": source, "now": now, "interval": interval, "burst": rate.seconds - interval}
    found = await tx.scalar(RESERVE, {**values, "most_wait": most_wait})
    if found is None:
        del values["interval"]
        found = await tx.scalar(WAIT, values)
    return max(0.0, round(float(found), 6))


async def all_breakers(tx: Transaction) -> dict[str, Breaker]:
    """The breakers that are not in their initial state, by source. Needs the system role."""
    return {row.source: _breaker(row) for row in await tx.all(BREAKERS)}


async def breaker(tx: Transaction, source: str) -> Breaker:
    """The breaker of a source. Needs a system transaction."""
    return _breaker(await tx.first(BREAKER, {"source": source}))


async def lock_breaker(tx: Transaction, source: str) -> Breaker:
    """As `breaker`, locked, whether the source has a row yet or not."""
    await tx.execute(ADD, {"source": source})
    return _breaker(await tx.first(LOCK_BREAKER, {"source": source}))


async def store_breaker(tx: Transaction, source: str, changed: Breaker) -> None:
    """Replace the breaker of a source, which is locked. Needs a system transaction."""
    values = {"failures": changed.failures, "openings": changed.openings, "open_until": changed.open_until}
    await tx.execute(STORE_BREAKER, {"source": source, **values, "reason": changed.reason, "keyed": changed.keyed})


async def admit(tx: Transaction, source: str, seen: Breaker, admitted: Breaker) -> bool:
    """Let the one call of a half-open breaker pass. False if another caller's has. Needs a system transaction."""
    return await tx.changed(ADMIT, {"source": source, "seen": seen.open_until, "trial": admitted.open_until}) == 1


def _breaker(row: Row | None) -> Breaker:
    if row is None:
        return Breaker()
    return Breaker(row.failures, row.openings, row.open_until, row.reason, row.keyed)
