"""Timeouts of statements and locks, which depend on the process."""

from pydantic import SecretStr

from leadflood.bootstrap import open_connections
from leadflood.kernel.config import Settings
from leadflood.kernel.db.sql import sql

TIMEOUTS = sql("SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock")


async def test_jobs_have_a_statement_timeout_of_their_own_and_wait_for_locks_no_longer_than_others(
    settings: Settings, application_url: str
) -> None:
    values = {"statement_timeout_seconds": 6, "job_statement_timeout_seconds": 90, "request_timeout_seconds": 5}
    changed = settings.model_copy(update={**values, "database_url": SecretStr(application_url)})
    found = {}
    for process in ("api", "worker", "isolated jobs", "doctor"):
        async with open_connections(changed, process=process) as (database, _), database.system() as tx:
            (row,) = await tx.all(TIMEOUTS)
            found[process] = (row.statement, row.lock)

    assert found == {
        "api": ("4s", "2s"),
        "worker": ("90s", "3s"),
        "isolated jobs": ("90s", "3s"),
        "doctor": ("6s", "3s"),
    }
