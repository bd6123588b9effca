"""Jobs, the outbox and home: what failed is found by its cause and brought back."""

import html
from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import JobView
from leadflood.domains.jobs.jobs import deregister_worker, report_worker
from leadflood.domains.jobs.models import JobStatus
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, NewHouse
from tests.support.web import Browser

_KILL = sql("""
UPDATE outbox_events SET status = 'dead_letter', attempts = 5, last_error = 'The queue was away.',
                         cause = 'The queue was away.', processed_at = NULL
WHERE workspace_id = :workspace_id AND job_id = :job_id RETURNING id
""")

_WAIT = sql("""
UPDATE job_executions SET attempts = 1, waiting_for = 'The provider''s limit is used up.',
                          next_attempt_at = now() + interval '2 hours'
WHERE workspace_id = :workspace_id AND subject_id = :subject_id RETURNING id
""")

_RUN = sql("""
UPDATE job_executions SET status = 'running', attempts = 2, last_error = 'The provider was away.', started_at = now(),
                          lease_expires_at = now() + interval '1 hour', next_attempt_at = now()
WHERE workspace_id = :workspace_id AND subject_id = :subject_id
""")


async def failed_job(house: House, email: str) -> UUID:
    lead_id = await house.lead(email)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        [job] = (await queries.list_jobs(tx, house.actor, subject_id=lead_id, limit=1)).items
        await service.cancel_job(tx, house.actor, house.parts.registry, job_id=job.id)
    return job.id


async def dead_event(house: House, email: str) -> UUID:
    lead_id = await house.lead(email)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        [job] = (await queries.list_jobs(tx, house.actor, subject_id=lead_id, limit=1)).items
        event_id = await tx.scalar(_KILL, {"workspace_id": house.workspace_id, "job_id": job.id})
    assert isinstance(event_id, UUID)
    return event_id


async def jobs_of(house: House) -> Sequence[JobView]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return (await queries.list_jobs(tx, house.actor, limit=100)).items


async def test_no_jobs_yet_says_where_they_come_from(owner: Browser) -> None:
    assert "No jobs yet" in (await owner.get("/jobs?status=all")).text
    assert "No failures" in (await owner.get("/jobs")).text


async def test_failures_are_grouped_by_cause_and_all_of_one_are_brought_back(owner: Browser, house: House) -> None:
    await failed_job(house, "a@acme.com")
    await failed_job(house, "b@acme.com")
    seen = await owner.get("/jobs")
    form = seen.html.css_first("#jobs-causes form")
    assert form is not None
    fields = {node.attributes["name"] or "": node.attributes["value"] or "" for node in form.css("input")}

    done = await owner.post(form.attributes["action"] or "", fields)

    assert seen.all("#jobs-causes td[data-label=Jobs]") == ["2"]
    assert "Retrying 2 jobs." in done.text
    assert {job.status for job in await jobs_of(house)} == {JobStatus.QUEUED}


async def test_jobs_begin_with_what_needs_attention_named_by_its_lead(
    owner: Browser, viewer: Browser, house: House
) -> None:
    job_id = await failed_job(house, "a@acme.com")
    await house.lead("b@acme.com")

    seen, less = await owner.get("/jobs"), await viewer.get("/jobs")

    assert [node.attributes["id"] for node in seen.html.css("#jobs-list tbody tr")] == [f"job-{job_id}"]
    assert seen.all("nav [aria-current=true]")[-1] == "Needs attention"
    assert seen.all("#jobs-list td[data-label=Lead]") == ["a@acme.com"]
    assert "leads.enrich" in seen.response.text
    assert less.html.css("#jobs-list .row-link[title]") == []
    assert "leads.enrich" not in (await viewer.get(f"/jobs/{job_id}")).text


async def test_a_running_job_does_not_show_the_error_of_an_attempt_before(owner: Browser, house: House) -> None:
    lead_id = await house.lead("a@acme.com")
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await tx.execute(_RUN, {"workspace_id": house.workspace_id, "subject_id": lead_id})

    seen = await owner.get("/jobs?status=running")

    assert seen.all("#jobs-list td[data-label=Status]") == ["Running"]
    assert "The provider was away." not in seen.text


async def test_a_cause_leads_to_its_jobs(owner: Browser, house: House) -> None:
    job_id = await failed_job(house, "a@acme.com")
    await house.lead("b@acme.com")

    cause = (await owner.get("/jobs")).attribute("#jobs-causes .row-link", "href") or ""
    seen = await owner.get(cause)

    assert [node.attributes["id"] for node in seen.html.css("#jobs-list tbody tr")] == [f"job-{job_id}"]


async def test_ticked_jobs_are_retried_and_the_rest_is_told(owner: Browser, house: House) -> None:
    failed = await failed_job(house, "a@acme.com")
    await house.lead("b@acme.com")
    waiting = next(job.id for job in await jobs_of(house) if job.status is JobStatus.QUEUED)
    await owner.get("/jobs")

    done = await owner.post("/jobs/retries", {"ids": [str(failed), str(waiting)]})

    assert done.all(".toast__text")[0] == "Retrying 1 job."
    assert done.all(".toast__text")[1].startswith("1 job skipped")


async def test_a_jobs_page_tells_its_attempts_and_offers_what_can_be_done(owner: Browser, house: House) -> None:
    job_id = await failed_job(house, "a@acme.com")

    failed = await owner.get(f"/jobs/{job_id}")
    queued = await owner.post(f"/jobs/{job_id}/retries")
    cancelled = await owner.post(f"/jobs/{job_id}/cancellations")

    assert failed.html.css(f"form[action='/jobs/{job_id}/retries']")
    assert queued.html.css(f"form[action='/jobs/{job_id}/cancellations']")
    assert "Failed" in cancelled.text


async def test_retrying_twice_is_told_and_changes_nothing(owner: Browser, house: House) -> None:
    job_id = await failed_job(house, "a@acme.com")
    await owner.get("/jobs")
    await owner.post(f"/jobs/{job_id}/retries")

    again = await owner.post(f"/jobs/{job_id}/retries")

    assert again.status == 409
    assert "Only a failed job can be retried" in again.text


async def test_dead_letters_are_replayed_one_many_or_all_of_a_cause(owner: Browser, house: House) -> None:
    events = [await dead_event(house, f"{name}@acme.com") for name in "abcd"]
    seen = await owner.get("/outbox")

    one = await owner.post(f"/outbox/{events[0]}/replays")
    many = await owner.post("/outbox/replays", {"ids": [str(events[1])]})
    rest = await owner.post("/outbox/failures/replays", {"cause": "The queue was away.", "kind": "job.queued"})

    assert seen.all("#outbox-causes td[data-label=Events]") == ["4"]
    assert "Retrying delivery of 1 event." in one.text
    assert "Retrying delivery of 1 event." in many.text
    assert "Retrying delivery of 2 events." in rest.text
    assert (await owner.get("/outbox")).html.css("#outbox-causes tr") == []


async def test_another_workspaces_jobs_and_events_are_as_if_they_were_not(owner: Browser, new_house: NewHouse) -> None:
    theirs = await new_house()
    job_id, event_id = await failed_job(theirs, "a@acme.com"), await dead_event(theirs, "b@acme.com")

    page = await owner.get("/jobs")
    assert page.html.css("#jobs-list tbody tr, #jobs-causes tbody tr") == []
    assert (await owner.get(f"/jobs/{job_id}")).status == 404
    assert (await owner.post(f"/jobs/{job_id}/retries")).status == 404
    assert (await owner.post(f"/outbox/{event_id}/replays")).status == 404


async def test_viewers_look_but_do_not_touch(viewer: Browser, house: House) -> None:
    job_id = await failed_job(house, "a@acme.com")

    seen = await viewer.get("/jobs")

    assert seen.html.css("#jobs-causes form, #bulk, .cell-select input") == []
    assert (await viewer.post(f"/jobs/{job_id}/retries")).status == 403
    assert (await viewer.get("/outbox")).status == 403


async def test_the_palette_offers_places_that_one_may_go_to_and_leads(
    owner: Browser, viewer: Browser, house: House
) -> None:
    lead_id = await house.lead("ada@acme.com", firstName="Ada")

    places = await owner.part("/palette", "palette-list")
    found = await owner.part("/palette?q=ada", "palette-list")

    assert places.html.css("a[href='/settings/audit']")
    assert (await viewer.part("/palette", "palette-list")).html.css("a[href='/settings/audit']") == []
    assert found.html.css(f"a[href='/leads/{lead_id}']")
    assert "No results" in (await owner.part("/palette?q=zzz", "palette-list")).text


async def test_only_instance_operators_see_the_worker_processes(house: House) -> None:
    worker_id = new_id()
    await report_worker(house.parts.database, worker_id=worker_id, host="host-17", pid=7, version="1", running=0)

    for operator in (True, False):
        browser = await house.signed_in(Role.OWNER, operator=operator)
        workers = await browser.get("/settings/workers")
        assert (workers.status, "host-17" in workers.text) == ((200, True) if operator else (403, False))
        assert "No worker is running" not in (await browser.get("/jobs")).text
    await deregister_worker(house.parts.database, worker_id=worker_id)


async def test_health_says_what_needs_attention_and_where(owner: Browser, viewer: Browser, house: House) -> None:
    await failed_job(house, "a@acme.com")
    await dead_event(house, "b@acme.com")

    seen = await owner.get("/settings/health")

    checks = dict(zip(seen.all("#health-checks dt"), seen.all("#health-checks dd"), strict=True))
    assert "schema 0" in checks["Database"]
    assert checks["Failed jobs"].startswith("1 need")
    assert checks["Event delivery"].startswith("1 need")
    assert seen.html.css("#health-checks a[href='/jobs'], #health-checks a[href='/outbox?status=dead_letter']")
    assert (await viewer.get("/settings/health")).status == 403


async def test_a_job_that_waits_shows_until_when_and_for_what(owner: Browser, house: House) -> None:
    lead_id = await house.lead("a@acme.com")
    async with house.parts.database.transaction(house.workspace_id) as tx:
        job_id = await tx.scalar(_WAIT, {"workspace_id": house.workspace_id, "subject_id": lead_id})

    for path in (f"/jobs/{job_id}", "/jobs?status=all", f"/leads/{lead_id}"):
        text = (await owner.get(path)).text
        assert "The provider's limit is used up." in html.unescape(text), path
        assert "Scheduled" in text, path
    assert "Scheduled for" in (await owner.get(f"/jobs/{job_id}")).text
