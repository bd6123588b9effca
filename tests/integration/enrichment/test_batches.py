"""Batches: each lead once, none twice, whatever stops them; pause and cancel reach what has not begun."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.enrichment import invariants
from leadflood.domains.enrichment.contracts.batches import EnrichmentBatchView, EnrichmentEstimate, StartEnrichment
from leadflood.domains.enrichment.errors import BatchNotFound, BatchNotReady, NothingToEnrich
from leadflood.domains.enrichment.events import ENRICH_COMPANY, ENRICH_LEAD
from leadflood.domains.enrichment.models import Away, Source
from leadflood.domains.enrichment.models.batches import ALREADY_KNOWN, BatchStatus, Outcome
from leadflood.domains.enrichment.queries import batches as queries
from leadflood.domains.enrichment.service import batch_walk, batches
from leadflood.domains.jobs import execution
from leadflood.domains.jobs.models import JobStatus, RunningJob
from leadflood.domains.leads.errors import MatchCountExceeded
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.actor import Actor, MissingPermission
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority, QueueMessage
from tests.integration.enrichment.bench import Bench
from tests.integration.enrichment.office import Office, Register, domain, person


class Batches:
    """Batches of an office, whose job a test takes step by step."""

    def __init__(self, bench: Bench, *sources: Source) -> None:
        self.bench = bench
        self.sources = sources

    async def start(self, **given: object) -> EnrichmentBatchView:
        command = StartEnrichment.model_validate(given)
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await batches.start(tx, self.bench.actor, command=command, trace={})

    async def estimate(self, **given: object) -> EnrichmentEstimate:
        command = StartEnrichment.model_validate(given)
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await batches.estimate(tx, self.bench.actor, command=command, sources=self.sources)

    async def step(self, batch: EnrichmentBatchView) -> batch_walk.Progress:
        """One step of its job, whichever attempt that is."""
        job = await self.bench.job((await self.get(batch)).job_id)
        running = RunningJob(
            self.bench.actor.workspace_id, job.id, job.kind, job.attempts, 5, "{}", batch.id, {}, job.created_at
        )
        actor = Actor.system(self.bench.actor.workspace_id)
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await batch_walk.advance(tx, actor, batch_id=batch.id, job=running, sources=self.sources)

    async def get(self, batch: EnrichmentBatchView) -> EnrichmentBatchView:
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await queries.get_batch(tx, self.bench.actor, batch_id=batch.id)

    async def change(self, verb: str, batch: EnrichmentBatchView) -> EnrichmentBatchView:
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            if verb == "resume":
                return await batches.resume(tx, self.bench.actor, batch_id=batch.id, trace={})
            change = batches.pause if verb == "pause" else batches.cancel
            return await change(tx, self.bench.actor, batch_id=batch.id)

    async def queued(self, kind: str = ENRICH_LEAD.name) -> list[UUID]:
        return [job.id for job in await self.bench.jobs() if job.kind == kind and job.status == JobStatus.QUEUED]

    async def run(self, job_ids: Sequence[UUID]) -> None:
        for job_id in job_ids:
            await self.bench.attempt(job_id, person(), *self.sources)

    async def sound(self) -> None:
        async with self.bench.database.system(read_only=True) as tx:
            found = await invariants.violations(tx)
        mine = {str(lead.id) for lead in await self._leads()}
        assert [item for item in found if any(lead_id in item for lead_id in mine)] == []

    async def _leads(self) -> Sequence[Any]:
        from leadflood.domains.leads import queries as leads  # noqa: PLC0415  one helper needs it
        from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort  # noqa: PLC0415

        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await leads.next_leads(
                tx, self.bench.actor, filters=LeadFilter(), sort=LeadSort.CREATED, after=None, limit=100
            )


async def enriched(bench: Bench, *emails: str) -> list[UUID]:
    """Leads that are enriched by the instant source."""
    ids = []
    for email in emails:
        made = await bench.create(email)
        await bench.attempts(made.job_id, person())
        ids.append(made.lead_id)
    return ids


async def test_each_lead_is_enriched_once_and_counted(bench: Bench) -> None:
    mine = Batches(bench)
    ids = await enriched(bench, "ada@acme.com", "bob@acme.com", "eve@acme.com")
    batch = await mine.start(leadIds=list(map(str, ids)), includeFresh=True, name="Three")

    assert (batch.status, batch.total, batch.planned, batch.name) == (BatchStatus.RUNNING, 3, 3, "Three")
    assert not (await mine.step(batch)).ended
    jobs = await mine.queued()
    assert len(jobs) == 3
    assert not (await mine.step(batch)).ended, "they are under way"
    assert await mine.queued() == jobs, "and not queued again"
    assert (await mine.get(batch)).running == 3

    await mine.run(jobs)
    assert (await mine.step(batch)).ended
    ended = await mine.get(batch)
    assert (ended.status, ended.completed, ended.running, ended.planned) == (BatchStatus.COMPLETED, 3, 0, 0)
    assert ended.ended_at is not None
    assert (await mine.step(batch)).ended, "a step too many does nothing"
    assert await mine.get(batch) == ended


async def test_a_filter_is_walked_part_by_part_and_leaves_out_later_leads(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_walk, "WINDOW", 2)
    mine = Batches(bench)
    await enriched(bench, "a@acme.com", "b@acme.com", "c@acme.com")
    batch = await mine.start(matching={}, includeFresh=True)
    await enriched(bench, "later@acme.com")

    seen: set[UUID] = set()
    while not (await mine.step(batch)).ended:
        jobs = await mine.queued()
        assert len(jobs) <= 2
        assert seen.isdisjoint(jobs)
        seen.update(jobs)
        await mine.run(jobs)
    assert len(seen) == 3
    assert (await mine.get(batch)).completed == 3


async def test_jobs_of_a_batch_come_after_those_of_single_leads(bench: Bench) -> None:
    mine = Batches(bench)
    (lead_id,) = await enriched(bench, "ada@acme.com")
    batch = await mine.start(leadIds=[str(lead_id)], includeFresh=True)
    await mine.step(batch)
    (job_id,) = await mine.queued()

    ticket = QueueMessage(ENRICH_LEAD.name, bench.actor.workspace_id, job_id, 1)
    (claimed,) = await execution.claim(bench.database, [ticket], new_id(), 60)
    assert claimed.priority is Priority.BULK


async def test_what_is_known_or_under_way_is_skipped_and_says_why(bench: Bench) -> None:
    mine = Batches(bench)
    (known,) = await enriched(bench, "ada@acme.com")
    new = await bench.create("bob@acme.com")
    batch = await mine.start(leadIds=[str(known), str(new.lead_id)])

    assert (await mine.step(batch)).ended
    ended = await mine.get(batch)
    assert (ended.skipped, ended.completed) == (2, 0)
    assert {(item.outcome, item.count) for item in ended.reasons} == {(Outcome.SKIPPED, 1)}
    assert ALREADY_KNOWN in {item.reason for item in ended.reasons}
    assert await mine.queued() == [new.job_id]


async def test_a_company_without_facts_makes_its_enriched_leads_part_of_a_batch(bench: Bench) -> None:
    register, company = Register(), domain()
    mine, office = Batches(bench, register), Office(bench)
    (lead_id,) = await enriched(bench, f"ada@{company}")
    estimate = await mine.estimate(matching={})
    assert (estimate.total, estimate.fresh, estimate.companies, estimate.exact) == (1, 0, 1, True)
    assert [(call.source, call.at_most) for call in estimate.calls] == [(register.spec.name, 1)]

    batch = await mine.start(matching={})
    await mine.step(batch)
    await mine.run(await mine.queued())
    await office.read(company, register)
    await mine.run(await mine.queued())
    assert (await mine.step(batch)).ended
    assert (await mine.get(batch)).completed == 1
    assert register.asked == [company]
    assert (await bench.lead(lead_id)).status is LeadStatus.ENRICHED

    again = await mine.estimate(matching={})
    assert (again.fresh, again.companies, again.calls, again.seconds_to) == (1, 0, [], 0)


async def test_a_source_that_is_away_makes_leads_partial_with_its_reason(bench: Bench) -> None:
    register, company = Register(fault=Away("The register is down.")), domain()
    mine, office = Batches(bench, register), Office(bench)
    await enriched(bench, f"ada@{company}")
    batch = await mine.start(matching={})
    await mine.step(batch)
    await mine.run(await mine.queued())
    await office.read(company, register)
    await mine.run(await mine.queued())
    await mine.step(batch)

    ended = await mine.get(batch)
    assert (ended.partial, ended.completed) == (1, 0)
    assert [(item.outcome, item.reason, item.count) for item in ended.reasons] == [
        (Outcome.PARTIAL, "The register is down.", 1)
    ]


async def test_domains_become_companies_that_are_read(bench: Bench) -> None:
    register, one, two = Register(), domain(), domain()
    mine, office = Batches(bench, register), Office(bench)
    estimate = await mine.estimate(domains=[one, f"https://www.{two}/"])
    assert (estimate.total, estimate.companies, estimate.fresh) == (2, 2, 0)

    batch = await mine.start(domains=[one, f"https://www.{two}/", one])
    assert (batch.total, batch.subject) == (2, "companies")
    await mine.step(batch)
    assert len(await mine.queued(ENRICH_COMPANY.name)) == 2
    for company in (one, two):
        await office.read(company, register)
    assert (await mine.step(batch)).ended
    assert (await mine.get(batch)).completed == 2
    assert sorted(register.asked) == sorted([one, two])

    second = await mine.start(domains=[one])
    assert (await mine.step(second)).ended
    assert (await mine.get(second)).skipped == 1


async def test_a_pause_keeps_what_has_not_begun_from_running(bench: Bench) -> None:
    mine = Batches(bench)
    ids = await enriched(bench, "ada@acme.com", "bob@acme.com", "eve@acme.com")
    batch = await mine.start(leadIds=list(map(str, ids)), includeFresh=True)
    await mine.step(batch)
    begun, *waiting = await mine.queued()
    await execution.claim(
        bench.database, [QueueMessage(ENRICH_LEAD.name, bench.actor.workspace_id, begun, 1)], new_id(), 60
    )

    paused = await mine.change("pause", batch)
    assert (paused.status, paused.running, paused.planned) == (BatchStatus.PAUSED, 1, 2)
    assert await mine.queued() == [], "none of them can start"
    tickets = [QueueMessage(ENRICH_LEAD.name, bench.actor.workspace_id, job_id, 1) for job_id in waiting]
    assert await execution.claim(bench.database, tickets, new_id(), 60) == [], "not even one whose message is out"
    assert not (await mine.step(batch)).ended
    assert await mine.queued() == []

    await mine.change("resume", batch)
    await mine.step(batch)
    assert len(await mine.queued()) == 2
    await mine.sound()


async def test_the_job_of_before_a_pause_does_nothing_after_it(bench: Bench) -> None:
    mine = Batches(bench)
    (lead_id,) = await enriched(bench, "ada@acme.com")
    batch = await mine.start(leadIds=[str(lead_id)], includeFresh=True)
    await mine.change("pause", batch)
    resumed = await mine.change("resume", batch)
    assert resumed.job_id != batch.job_id

    job = await bench.job(batch.job_id)
    old = RunningJob(bench.actor.workspace_id, job.id, job.kind, 1, 5, "{}", batch.id, {}, job.created_at)
    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        progress = await batch_walk.advance(tx, bench.actor, batch_id=batch.id, job=old, sources=())
    assert progress.ended
    assert await mine.queued() == []


async def test_a_canceled_batch_starts_nothing_more_and_its_leads_stay_as_they_are(bench: Bench) -> None:
    mine = Batches(bench)
    ids = await enriched(bench, "ada@acme.com", "bob@acme.com")
    batch = await mine.start(leadIds=list(map(str, ids)), includeFresh=True)
    await mine.step(batch)
    canceled = await mine.change("cancel", batch)

    assert (canceled.status, canceled.running, canceled.planned) == (BatchStatus.CANCELED, 0, 2)
    assert await mine.queued() == []
    assert [(await bench.lead(lead_id)).status for lead_id in ids] == [LeadStatus.ENRICHED] * 2
    assert (await bench.timeline(ids[0]))[-1].kind == "enrichment.canceled"
    assert (await mine.step(batch)).ended
    with pytest.raises(BatchNotReady):
        await mine.change("resume", batch)
    await mine.sound()


async def test_a_batch_whose_job_failed_can_be_resumed(bench: Bench) -> None:
    mine = Batches(bench)
    (lead_id,) = await enriched(bench, "ada@acme.com")
    batch = await mine.start(leadIds=[str(lead_id)], includeFresh=True)
    await bench.cancel(batch.job_id)
    failed = await mine.get(batch)
    assert failed.status is BatchStatus.FAILED
    assert failed.error

    await mine.change("resume", batch)
    await mine.step(batch)
    assert len(await mine.queued()) == 1
    assert (await mine.get(batch)).error is None


async def test_the_job_walks_to_the_end_by_itself(bench: Bench) -> None:
    mine = Batches(bench)
    (lead_id,) = await enriched(bench, "ada@acme.com")
    batch = await mine.start(leadIds=[str(lead_id)])

    assert (await bench.attempt(batch.job_id, person())).status == JobStatus.COMPLETED
    assert (await mine.get(batch)).status is BatchStatus.COMPLETED


async def test_nothing_is_started_for_nobody_or_for_more_than_expected(bench: Bench) -> None:
    mine = Batches(bench)
    with pytest.raises(NothingToEnrich):
        await mine.start(matching={})
    with pytest.raises(NothingToEnrich):
        await mine.start(importId=str(new_id()))
    await enriched(bench, "ada@acme.com", "bob@acme.com")
    with pytest.raises(MatchCountExceeded):
        await mine.start(matching={}, expectedCount=1)


async def test_another_workspace_and_a_viewer_reach_nothing(bench: Bench, other_bench: Bench) -> None:
    mine = Batches(bench)
    (lead_id,) = await enriched(bench, "ada@acme.com")
    batch = await mine.start(leadIds=[str(lead_id)], includeFresh=True)

    for verb in ("pause", "resume", "cancel"):
        with pytest.raises(BatchNotFound):
            await Batches(other_bench).change(verb, batch)
    with pytest.raises(NothingToEnrich):
        await Batches(other_bench).start(leadIds=[str(lead_id)])
    viewer = Bench(bench.database, Actor.requester(bench.actor.workspace_id, bench.actor.kind, None))
    for verb in ("pause", "resume", "cancel"):
        with pytest.raises(MissingPermission):
            await Batches(viewer).change(verb, batch)
    with pytest.raises(MissingPermission):
        await Batches(viewer).start(domains=["acme.com"])
