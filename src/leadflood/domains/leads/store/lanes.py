"""SQL that keeps those in order who write the chunks of one changeset at the same time."""

from typing import Any

from leadflood.domains.jobs.models import RunningJob
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Waiting for each other inside PostgreSQL, and not in this process, lets it find deadlocks with others.
_TURN = sql("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")


async def take_place(tx: Transaction, job: RunningJob, place: Any) -> None:  # noqa: ANN401  a position of any kind
    """Hold a place in the line until this transaction ends; wait for whoever holds it now."""
    await tx.execute(_TURN, {"place": f"{job.id} {place}"})
