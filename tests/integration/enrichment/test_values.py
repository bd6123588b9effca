"""Results of an enrichment: each value with its receipt, and one chosen value per field."""

import asyncio

import pytest

from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.sources.email_insight import EmailInsight
from leadflood.domains.jobs.errors import Terminal
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import LeadStatus
from tests.integration.enrichment.bench import Bench, Scripted, value


async def test_every_value_keeps_its_receipt_and_so_does_a_loser(bench: Bench) -> None:
    made = await bench.create()
    cheap = Scripted("cheap", [[value(fields.COMPANY_NAME, "Acme", 0.4)]], version="3")
    found = [value(fields.COMPANY_NAME, "Acme Ltd", 0.9, url="https://acme.com/imprint")]
    dear = Scripted("dear", [[*found, value(fields.IS_FREE_MAIL, found=False, confidence=0.7)]], version="7")

    job = await bench.attempt(made.job_id, cheap, dear)

    assert job.status == JobStatus.COMPLETED
    view = await bench.enrichment(made.lead_id)
    receipts = [
        (item.field, item.value, item.confidence, item.chosen, item.source, item.source_version, item.cost_micros)
        for item in view.values
    ]
    assert receipts == [
        ("company_name", "Acme Ltd", 0.9, True, "dear", "7", 0),
        ("company_name", "Acme", 0.4, False, "cheap", "3", 0),
        ("is_free_mail", False, 0.7, True, "dear", "7", 0),
    ]
    best = view.values[0]
    assert (best.method, best.evidence, best.source_url) == ("a_method", "It is Acme Ltd.", "https://acme.com/imprint")
    runs = [(run.source, run.status, run.job_id, run.cost_micros, run.error) for run in view.runs]
    assert runs == [("dear", "completed", made.job_id, 0, None), ("cheap", "completed", made.job_id, 0, None)]
    assert all(job.created_at <= run.started_at <= run.finished_at for run in view.runs)


@pytest.mark.parametrize("confidence", [0.5, 0.6, 0.7, 0.9, 0.95, 1 / 3])
async def test_of_two_values_of_equal_confidence_that_of_the_first_source_is_chosen(
    bench: Bench, confidence: float
) -> None:
    made = await bench.create()
    first = Scripted("first", [[value(fields.COMPANY_NAME, "Acme", confidence)]])
    second = Scripted("second", [[value(fields.COMPANY_NAME, "Other", confidence)]])

    await bench.attempt(made.job_id, first, second)
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "first")}

    await bench.attempt(await bench.again(made.lead_id), second, first)
    assert await bench.chosen(made.lead_id) == {"company_name": ("Other", "second")}


async def test_the_real_source_takes_a_lead_from_new_to_enriched(bench: Bench) -> None:
    made = await bench.create("ada.lovelace@acme.com")
    assert (await bench.lead(made.lead_id)).status == LeadStatus.NEW

    await bench.attempt(made.job_id, EmailInsight())

    lead = await bench.lead(made.lead_id)
    assert (lead.status, lead.error) == (LeadStatus.ENRICHED, None)
    assert lead.enriched_at == lead.updated_at
    chosen = await bench.chosen(made.lead_id)
    assert chosen["first_name"] == ("Ada", "email_insight")
    assert chosen["company_domain"] == ("acme.com", "email_insight")
    events = await bench.timeline(made.lead_id)
    assert [event.kind for event in events] == [
        LeadEventKind.CREATED,
        LeadEventKind.ENRICHMENT_STARTED,
        LeadEventKind.ENRICHMENT_COMPLETED,
    ]
    assert events[-1].data == {"jobId": str(made.job_id), "fields": sorted(chosen), "version": 3}


async def test_a_fresh_enrichment_replaces_what_was_chosen_and_keeps_the_old_runs(bench: Bench) -> None:
    made = await bench.create()
    source = Scripted(
        "one",
        [
            [value(fields.COMPANY_NAME, "Old", 0.9), value(fields.FIRST_NAME, "Ada", 0.9)],
            [value(fields.COMPANY_NAME, "New", 0.3)],
        ],
    )
    await bench.attempt(made.job_id, source)
    before = await bench.lead(made.lead_id)

    await bench.attempt(await bench.again(made.lead_id), source)

    assert await bench.chosen(made.lead_id) == {"company_name": ("New", "one")}
    view = await bench.enrichment(made.lead_id)
    assert len(view.runs) == 2
    assert [(item.value, item.chosen) for item in view.values] == [("New", True), ("Old", False), ("Ada", False)]
    lead = await bench.lead(made.lead_id)
    assert lead.enriched_at is not None
    assert before.enriched_at is not None
    assert lead.enriched_at > before.enriched_at


async def test_a_source_that_refuses_a_fresh_enrichment_still_competes_with_what_it_found_before(
    bench: Bench,
) -> None:
    made = await bench.create()
    strong = Scripted("strong", [[value(fields.COMPANY_NAME, "Acme", 0.9)], Terminal("over quota")])
    weak = Scripted("weak", [[value(fields.COMPANY_NAME, "Acne", 0.2)]])
    await bench.attempt(made.job_id, strong, weak)

    await bench.attempt(await bench.again(made.lead_id), strong, weak)

    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme", "strong")}


async def test_a_source_that_finds_nothing_leaves_an_enriched_lead_and_a_run_without_values(bench: Bench) -> None:
    made = await bench.create()

    await bench.attempt(made.job_id, Scripted("empty", [[]]))

    view = await bench.enrichment(made.lead_id)
    assert (view.values, [run.status for run in view.runs]) == ([], ["completed"])
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED


@pytest.mark.parametrize("round_number", range(5))
async def test_concurrent_enrichments_of_one_lead_choose_one_value_a_field(bench: Bench, round_number: int) -> None:
    made = await bench.create()
    job_ids = [made.job_id, *[await bench.again(made.lead_id) for _ in range(4)]]
    gate = asyncio.Event()
    sources = [
        Scripted(f"a{number}", [[value(fields.COMPANY_NAME, f"Acme {number}", 0.5 + number / 10)]], gate=gate)
        for number in range(5)
    ]

    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(bench.attempt(job_id, source)) for job_id, source in zip(job_ids, sources, strict=True)
        ]
        for source in sources:
            await source.entered.wait()
        gate.set()

    assert [task.result().status for task in running] == [JobStatus.COMPLETED] * 5
    assert await bench.chosen(made.lead_id) == {"company_name": ("Acme 4", "a4")}
    view = await bench.enrichment(made.lead_id)
    assert len(view.runs) == 5
    assert (await bench.lead(made.lead_id)).status == LeadStatus.ENRICHED
    completed = [event for event in await bench.timeline(made.lead_id) if event.kind == "enrichment.completed"]
    assert {event.data["jobId"] for event in completed} == set(map(str, job_ids))
