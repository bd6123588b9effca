"""kill -9 of workers while they read companies of the small internet, whose leads wait."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from leadflood.demo.internet.world import companies
from leadflood.kernel.db.provision import DATABASE
from tests.support.deployment import Deployment, deployed
from tests.support.journeys import add_lead, pause
from tests.support.judge import wait_for_ends
from tests.support.postgres import temporary_cluster, temporary_home
from tests.support.processes import Running, free_port

SOURCES = "email_insight,gleif,website,dns,wikidata,company_place"
KILLS = 300
WORKERS = 8
COMPANIES = 60
REPEATED = """
SELECT source, company_id, count(*) AS answers FROM lookups
WHERE company_id IS NOT NULL AND answered_at IS NOT NULL AND question_hash IS NOT NULL
GROUP BY source, company_id HAVING count(*) > 1
"""
OPEN_RUNS = "SELECT count(*) FROM company_runs WHERE ended_at IS NULL"


def rage(deployment: Deployment, seed: int, settings: dict[str, Any]) -> int:
    """Kill a worker after the other while leads are added. Returns the number of leads."""
    random, client = Random(seed), deployment.client()  # noqa: S311  not a secret
    workers: list[Running] = [deployment.start_worker(**settings) for _ in range(WORKERS)]
    leads = 0
    for number in range(KILLS):
        company = companies()[number % COMPANIES]
        for _ in range(3):
            leads += 1
            add_lead(client, f"lead{leads}@{company.domain}")
        pause(random.uniform(0.1, 1.5))
        victim = random.randrange(WORKERS)
        workers[victim].kill()
        workers[victim] = deployment.start_worker(**settings)
    return leads


@pytest.mark.long
def test_no_answer_is_asked_for_twice_and_every_lead_is_enriched_whatever_kills_its_worker(
    prepared_home: Path, seed: int
) -> None:
    ports = f"{free_port()},{free_port()},{free_port()}"
    settings = {"demo_internet": ports, "enrichment_sources": SOURCES}
    with (
        temporary_cluster(settings={}, copy_of=prepared_home) as cluster,
        temporary_home() as folder,
        deployed(cluster, DATABASE, folder) as deployment,
    ):
        deployment.installation.start("demo-internet", **settings).wait_for("demo_internet.started")
        deployment.start_api()
        leads = rage(deployment, seed, settings)
        wait_for_ends(deployment, 300)

        statuses = {row["status"]: row["leads"] for row in deployment.rows(
            "SELECT status, count(*) AS leads FROM leads GROUP BY status"
        )}  # fmt: skip
        runs = deployment.rows("SELECT state, count(*) AS runs FROM company_runs GROUP BY state")
        print(json.dumps({"leads": statuses, "runs": runs}))  # noqa: T201  the figures of the run
        assert statuses == {"enriched": leads}
        assert deployment.count(OPEN_RUNS) == 0
        assert deployment.rows(REPEATED) == []
        deployment.assert_sound()
