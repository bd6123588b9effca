"""LEAD-FLOOD as a contestant: `leadflood serve` and `leadflood worker`, with an API key of its first owner."""

import asyncio
import sys
from pathlib import Path

from leadflood.bootstrap import open_platform
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.service import administration, api_keys
from leadflood.domains.jobs.permissions import JOBS_READ
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import new_secret_key
from leadflood.kernel.db.migrate import install_queue, migrate
from leadflood.kernel.db.provision import DATABASE, OWNER, provision
from leadflood.kernel.db.roles import APP_ROLE
from tests.bench.contestant import Contestant, inherited_environment
from tests.support.postgres import Cluster
from tests.support.processes import free_port

VIEWS = """
CREATE SCHEMA bench;
CREATE VIEW bench.jobs AS
SELECT extract(epoch FROM created_at) AS created, extract(epoch FROM started_at) AS started,
       extract(epoch FROM finished_at) AS finished, status
FROM leadflood.job_executions
WHERE kind = 'leads.enrich.v1';
CREATE VIEW bench.workers AS SELECT pid FROM leadflood.worker_processes;
"""

CLEAN = """
TRUNCATE leadflood.leads, leadflood.job_executions, leadflood.outbox_events, leadflood.idempotency_keys,
         leadflood.worker_processes, leadflood_queue.tickets CASCADE
"""


def leadflood(cluster: Cluster, folder: Path) -> Contestant:
    """LEAD-FLOOD on a fresh database, as shipped but for the rate limit, quieter logs, and a source without network."""
    settings = Settings(
        _env_file=None,
        home=folder,
        database_url=cluster.url(DATABASE, APP_ROLE),
        secret_key=new_secret_key(),
    )
    token = asyncio.run(_prepare(cluster, settings))
    cluster.run(VIEWS, DATABASE)
    assert settings.database_url is not None
    assert settings.secret_key is not None
    port = free_port()
    environment = {
        "LEADFLOOD_HOME": str(folder),
        "LEADFLOOD_PORT": str(port),
        "LEADFLOOD_DATABASE_URL": settings.database_url.get_secret_value(),
        "LEADFLOOD_SECRET_KEY": settings.secret_key.get_secret_value(),
        "LEADFLOOD_RATE_LIMIT_PER_MINUTE": "100000000",
        "LEADFLOOD_LOG_LEVEL": "warning",
        "LEADFLOOD_ENRICHMENT_SOURCES": "email_insight",
    }
    program = [sys.executable, "-m", "leadflood"]
    return Contestant(
        name="leadflood",
        cluster=cluster,
        database=DATABASE,
        folder=folder,
        environment={**inherited_environment(), **environment},
        serve=[*program, "serve"],
        work=[*program, "worker"],
        port=port,
        token=token,
        clean_sql=CLEAN,
    )


async def _prepare(cluster: Cluster, settings: Settings) -> str:
    owner_url = cluster.url(DATABASE, OWNER)
    await provision(cluster.url())
    await migrate(owner_url)
    await install_queue(owner_url)
    async with open_platform(settings, process="bench") as platform:
        first = await administration.first_run(platform.database)
        assert first is not None
        wanted = CreateApiKey.model_validate({"name": "bench", "scopes": [LEADS_WRITE, JOBS_READ]})
        async with platform.database.transaction(first.workspace_id) as tx:
            created = await api_keys.create_api_key(tx, Actor.cli(first.workspace_id), key=wanted)
    return created.token
