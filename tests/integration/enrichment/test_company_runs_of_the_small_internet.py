"""Runs of companies over the small internet: every misbehavior ends in the right state, with a sentence for people."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from leadflood.bootstrap import build_hold
from leadflood.demo.internet.faults import DOMAIN
from leadflood.domains.enrichment.contracts import CompanyRunView
from leadflood.domains.enrichment.events import ENRICH_COMPANY
from leadflood.domains.enrichment.models import Source
from leadflood.domains.enrichment.models.company_runs import CompanyRunState
from leadflood.domains.enrichment.queries.companies import get_company_enrichment
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.enrichment.sources.company_place import CompanyPlace
from leadflood.domains.enrichment.sources.dns import Dns
from leadflood.domains.enrichment.sources.website.source import Website
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import QueueMessage
from leadflood.worker.executor import Executor
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office
from tests.support.new_companies import new_company
from tests.support.small_internet import open_registry
from tests.support.unspaced import UnspacedHosts

UNREADABLE = {
    "expired-certificate": "expired",
    "rate-limited-for-decades": "429",
    "redirect-loop": "",
    "self-signed-certificate": "",
    "unavailable": "",
    "close": "",
    "no-http": "",
    "broken-gzip": "",
    "large-headers": "",
    "file": "",
    "servfail": "",
    "private": "",
    "cname-loop": "",
}
"""Misbehaviors whose pages give nothing, with a word that the sentence must have."""
READABLE = ("good", "deep-html", "wrong-charset", "robots-refuse")


@pytest.fixture(scope="module")
async def registry(database: Database, settings: Settings, secret_box: SecretBox) -> AsyncIterator[JobRegistry]:
    """A program whose sources ask the small internet."""
    gate = build_hold(settings, database)
    sources: list[Source] = [Website(), Dns(), CompanyPlace()]
    async with open_registry(database, secret_box, sources, hosts=UnspacedHosts(), gate=gate) as made:
        yield made


async def run(bench: Bench, registry: JobRegistry, name: str) -> tuple[CompanyRunView, str]:
    """Run a company with this domain. Returns the run, and the status of its job."""
    company_id = await new_company(bench.database, bench.actor.workspace_id, name)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        job_id = await company_runs.enrich_company(tx, bench.actor, company_id=company_id, trace={})
    await attempt(bench, registry, job_id)
    async with bench.database.transaction(bench.actor.workspace_id, read_only=True) as tx:
        (latest,) = (await get_company_enrichment(tx, bench.actor, company_id=company_id)).runs
    return latest, (await bench.job(job_id)).status


async def attempt(bench: Bench, registry: JobRegistry, job_id: UUID) -> None:
    worker_id = new_id()
    ticket = QueueMessage(ENRICH_COMPANY.name, bench.actor.workspace_id, job_id, 1)
    (claimed,) = await execution.claim(bench.database, [ticket], worker_id, 300)
    await Executor(bench.database, registry, worker_id).run(claimed)


async def test_every_misbehavior_ends_the_run_with_a_sentence_and_completes_its_job(
    bench: Bench, registry: JobRegistry
) -> None:
    names = [*UNREADABLE, *READABLE]
    ended = await asyncio.gather(*(run(bench, registry, f"{name}.{DOMAIN}") for name in names))

    wrong = []
    for name, (latest, job) in zip(names, ended, strict=True):
        website = next(step for step in latest.steps if step.source == "website")
        readable = website.state == "found"
        told = latest.message.endswith(".") and UNREADABLE.get(name, "") in latest.message
        if (job, readable, told, latest.ended_at is not None) != (JobStatus.COMPLETED, name in READABLE, True, True):
            wrong.append((name, job, latest.state, website.state, latest.message))
    assert wrong == []
    assert {latest.state for latest, _ in ended} <= {
        CompanyRunState.COMPLETED,
        CompanyRunState.PARTIAL,
        CompanyRunState.FAILED,
        CompanyRunState.NOTHING,
    }


async def test_a_company_of_the_demo_is_read_from_its_pages_and_records(bench: Bench, registry: JobRegistry) -> None:
    latest, job = await run(bench, registry, "nordlabs-de.de")

    assert (job, latest.state) == (JobStatus.COMPLETED, CompanyRunState.COMPLETED)
    assert {step.source: step.state for step in latest.steps} == dict.fromkeys(
        ("website", "dns", "company_place"), "found"
    )
    chosen = await Office(bench).chosen("nordlabs-de.de")
    assert (chosen["legal_name"], chosen["mail_provider"]) == ("Nordlabs GmbH", "Microsoft 365")
    assert chosen["time_zone"] == "Europe/Berlin", "of a source that answers without waiting"
