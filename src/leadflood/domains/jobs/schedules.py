"""Recurring jobs: each schedule's next run is a row, and the worker that advances it enqueues the job."""

from collections.abc import Sequence

from leadflood.domains.jobs import service
from leadflood.domains.jobs.events import Schedule
from leadflood.domains.jobs.models import JobKind, NewJob, NoPayload
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID

MAX_PAUSE = 60.0
"""Seconds after which to check again at the latest."""

# Insert new schedules.
_REGISTER = sql("INSERT INTO schedules (name) SELECT unnest(:names::text[]) ON CONFLICT DO NOTHING")

# Missed runs are not repeated: after a night off, one heartbeat is enough.
_ADVANCE = sql("""
UPDATE schedules
SET last_run_at = now(), next_run_at = now() + make_interval(secs => :seconds)
WHERE name = :name AND next_run_at <= now()
""")

# Let a schedule be due.
_HASTEN = sql("UPDATE schedules SET next_run_at = now() WHERE name = :name AND next_run_at > now()")

# Only our own: the row of a schedule of another version may stay overdue.
_NEXT = sql("""
SELECT extract(epoch FROM min(next_run_at) - now())::double precision
FROM schedules
WHERE name = ANY(:names)
""")


async def run_due(database: Database, schedules: Sequence[Schedule]) -> float:
    """Enqueue the jobs that are due. Returns the seconds until the next one is, at most `LONGEST_PAUSE`."""
    actor = Actor.system(SYSTEM_WORKSPACE_ID)
    async with database.transaction(SYSTEM_WORKSPACE_ID) as tx:
        for schedule in schedules:
            due = {"name": schedule.kind.name, "seconds": schedule.seconds}
            moved = await tx.changed(_ADVANCE, due)
            if moved:
                await service.enqueue(tx, actor, jobs=[NewJob(schedule.kind, NoPayload())])
        seconds: float | None = await tx.scalar(_NEXT, {"names": _names_of(schedules)})
    return MAX_PAUSE if seconds is None else min(max(seconds, 0.0), MAX_PAUSE)


async def register(database: Database, schedules: Sequence[Schedule]) -> None:
    """Ensure that every schedule has its row; a new one is due immediately."""
    async with database.transaction(SYSTEM_WORKSPACE_ID) as tx:
        await tx.execute(_REGISTER, {"names": _names_of(schedules)})


async def hasten(tx: Transaction, kind: JobKind[NoPayload]) -> None:
    """Let a recurring job run within a minute, if it would run later."""
    await tx.execute(_HASTEN, {"name": kind.name})


def _names_of(schedules: Sequence[Schedule]) -> list[str]:
    return [schedule.kind.name for schedule in schedules]
