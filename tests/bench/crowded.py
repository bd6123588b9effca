"""A workspace with many leads, which several measurements share, and copies of it for those that write."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from leadflood.bootstrap import SCHEDULES, open_platform
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.service import api_keys
from leadflood.domains.jobs.permissions import JOBS_READ
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.db.provision import DATABASE
from leadflood.kernel.db.roles import APP_ROLE
from tests.bench.contestant import Contestant
from tests.support import crowd
from tests.support.crowd import numbered

CROWDED = "crowded"
COPY = "crowded_copy"
MIN_LEADS = 1000
"""Of which what is measured has one example each."""
WORKSPACE = numbered(1, 1)

_COPY = 'CREATE DATABASE :"name" TEMPLATE :"template" STRATEGY file_copy'
# A worker that has nothing to do but what is measured. Schedules that are known are not due at once.
_QUIET = """
SET search_path = leadflood;
UPDATE job_executions SET status = 'completed', finished_at = now(), lease_expires_at = NULL
WHERE status IN ('queued', 'running');
UPDATE outbox_events SET status = 'sent', processed_at = now() WHERE status <> 'sent';
INSERT INTO schedules (name, next_run_at) SELECT name, now() + interval '1 day'
FROM string_to_table(:'schedules', ' ') AS name;
CHECKPOINT;
"""


def crowded(ours: Contestant, leads: int, *, history: bool) -> Contestant:
    """The same system on a database of its own with so many leads, and a key for their workspace.

    Args: history: whether jobs and timelines are wanted, too.
    """
    ours.cluster.create_database(CROWDED, template=DATABASE)
    crowd.fill(ours.cluster, ours.cluster.url(CROWDED), leads=max(leads, MIN_LEADS), history=history)
    found = _on(ours, CROWDED)
    found.sql("UPDATE leadflood.memberships SET role = 'owner'")
    found.sql("CHECKPOINT")
    return replace(found, token=asyncio.run(_key(settings_of(found))))


@contextmanager
def copied(crowd_: Contestant) -> Iterator[Contestant]:
    """A copy that may be written to, in which no job waits and no schedule is due; dropped at the end."""
    cluster = crowd_.cluster
    cluster.drop_database(COPY)
    cluster.run(_COPY, name=COPY, template=crowd_.database)
    try:
        schedules = " ".join(schedule.kind.name for schedule in SCHEDULES)
        cluster.run(_QUIET, COPY, schedules=schedules)
        yield _on(crowd_, COPY)
    finally:
        cluster.drop_database(COPY)


def settings_of(contestant: Contestant) -> Settings:
    """The settings that its processes have."""
    own = {
        name.removeprefix("LEADFLOOD_").lower(): value
        for name, value in contestant.environment.items()
        if name.startswith("LEADFLOOD_")
    }
    return Settings(_env_file=None, **own)  # type: ignore[arg-type]  # text, as in the environment


def _on(contestant: Contestant, database: str) -> Contestant:
    url = contestant.cluster.url(database, APP_ROLE)
    return replace(contestant, database=database, environment={**contestant.environment, "LEADFLOOD_DATABASE_URL": url})


async def _key(settings: Settings) -> str:
    wanted = CreateApiKey.model_validate({"name": "bench", "scopes": [LEADS_READ, LEADS_WRITE, JOBS_READ]})
    async with open_platform(settings, process="bench") as platform, platform.database.transaction(WORKSPACE) as tx:
        return (await api_keys.create_api_key(tx, Actor.cli(WORKSPACE), key=wanted)).token
