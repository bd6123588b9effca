"""The removal of records whose time is over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from leadflood.domains.jobs import service
from leadflood.domains.jobs.events import CLEAN_UP
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, first_id_at, new_id
from tests.support.jobs import Jobs, completes, raises, toy_kind
from tests.support.waiting import soon

KEYS = """
INSERT INTO idempotency_keys (workspace_id, key_hash, fingerprint, answer, created_at)
VALUES (:workspace_id, :hash, '', '', now() - make_interval(hours => :hours))
"""
WORKER = """
INSERT INTO worker_processes (id, host, pid, version, last_seen_at)
VALUES (:id, 'h', 1, '1', now() - make_interval(hours => :hours))
"""
FAILURES = """
INSERT INTO login_failures (subject_hash, failures, window_started_at)
VALUES (:hash, 1, now() - make_interval(hours => :hours))
"""
AGE_JOB = """
UPDATE job_executions SET id = :old, finished_at = finished_at - make_interval(days => :days) WHERE id = :id
"""
AGE_EVENT = """
UPDATE outbox_events SET id = :old, job_id = :old, processed_at = now() - make_interval(days => :days),
    status = CASE WHEN :dead THEN 'dead_letter' ELSE status END
WHERE job_id = :id
"""
WEEK, DAY = 168, 24


@pytest.fixture
def clean_up(database: Database) -> Jobs:
    """The system's own clean-up."""
    return Jobs(database, SYSTEM_WORKSPACE_ID, CLEAN_UP)


async def cleaned(clean_up: Jobs, registry: JobRegistry) -> None:
    assert (await clean_up.attempt(registry, await clean_up.one())).status == "completed"


async def count(jobs: Jobs, sql: str, **values: object) -> int:
    ((found,),) = await jobs.rows(sql, **values)
    return int(found)


@pytest.mark.parametrize(
    ("insert", "table", "key", "hours"),
    [
        (KEYS, "SELECT count(*) FROM idempotency_keys WHERE key_hash = :hash", "hash", WEEK),
        (WORKER, "SELECT count(*) FROM worker_processes WHERE id = :id", "id", DAY),
        (FAILURES, "SELECT count(*) FROM login_failures WHERE subject_hash = :hash", "hash", 1),
    ],
    ids=["idempotency keys", "workers", "login failures"],
)
async def test_records_are_removed_after_their_time_and_not_before(
    jobs: Jobs, clean_up: Jobs, registry: JobRegistry, insert: str, table: str, key: str, hours: int
) -> None:
    async def planted(age: int) -> Mapping[str, object]:
        name = new_id()
        values: dict[str, object] = {"id": name} if key == "id" else {"hash": name.bytes}
        extra: dict[str, object] = {"workspace_id": jobs.workspace_id} if insert == KEYS else {}
        await jobs.change(insert, **values, **extra, hours=age)
        return values

    old, young = await planted(hours + 1), await planted(hours - 1)

    await cleaned(clean_up, registry)

    assert await count(jobs, table, **old) == 0
    assert await count(jobs, table, **young) == 1


async def test_only_sent_events_are_removed_a_week_after_they_were_sent(
    jobs: Jobs, clean_up: Jobs, registry: JobRegistry
) -> None:
    old, young, dead = await jobs.enqueue(3)
    age = "UPDATE outbox_events SET processed_at = now() - make_interval(hours => :hours) WHERE job_id = :id"
    for job_id, hours in ((old, WEEK + 1), (young, WEEK - 1), (dead, WEEK + 1)):
        await jobs.change(age, id=job_id, hours=hours)
    await jobs.change("UPDATE outbox_events SET status = 'dead_letter' WHERE job_id = :id", id=dead)

    await cleaned(clean_up, registry)

    assert [len(await jobs.events(job_id)) for job_id in (old, young, dead)] == [0, 1, 1]


async def test_only_the_systems_own_finished_jobs_are_removed_after_a_day(
    jobs: Jobs, clean_up: Jobs, registry: JobRegistry
) -> None:
    own = Jobs(jobs.database, SYSTEM_WORKSPACE_ID, toy_kind(max_attempts=1))
    done, failed, young, waiting = await own.enqueue(4)
    for job_id, handler in ((done, completes()), (failed, raises(KeyError())), (young, completes())):
        await own.attempt(own.registry(handler), job_id)
    tenants = await jobs.one()
    await jobs.attempt(jobs.registry(completes()), tenants)
    age = "UPDATE job_executions SET finished_at = now() - make_interval(hours => :hours) WHERE id = :id"
    for job_id, hours in ((done, DAY + 1), (failed, DAY + 1), (young, DAY - 1), (tenants, 10 * WEEK)):
        await jobs.change(age, id=job_id, hours=hours)
    await jobs.change("UPDATE job_executions SET created_at = now() - interval '9 days' WHERE id = :id", id=waiting)

    await cleaned(clean_up, registry)

    left = await jobs.rows(
        "SELECT id FROM job_executions WHERE id = ANY(:ids)", ids=[done, failed, young, waiting, tenants]
    )
    assert {row.id for row in left} == {young, waiting, tenants}


async def test_finished_jobs_and_dead_letters_of_tenants_are_removed_after_the_retention(
    jobs: Jobs, clean_up: Jobs, registry: JobRegistry
) -> None:
    one_attempt = replace(jobs, kind=toy_kind(max_attempts=1))
    done, failed, young, waiting = await one_attempt.enqueue(4)
    for job_id, handler in ((done, completes()), (failed, raises(KeyError())), (young, completes())):
        await one_attempt.attempt(one_attempt.registry(handler), job_id)
    dead, dead_young = await jobs.enqueue(2)
    ages = dict.fromkeys((done, failed, waiting, dead), 91) | {young: 89, dead_young: 89}
    old_id = {}
    for number, (job_id, days) in enumerate(ages.items()):
        old_id[job_id] = first_id_at(utc_now(), timedelta(days=-days, seconds=number))
        new = {"id": job_id, "old": old_id[job_id], "days": days}
        await jobs.change(AGE_JOB, **new)
        await jobs.change(AGE_EVENT, **new, dead=job_id in (dead, dead_young))

    await cleaned(clean_up, registry)

    left = await jobs.rows("SELECT id FROM job_executions WHERE id = ANY(:ids)", ids=list(old_id.values()))
    assert {row.id for row in left} == {old_id[age] for age in ages if age not in (done, failed)}
    letters = await jobs.rows("SELECT id FROM outbox_events WHERE job_id = ANY(:ids)", ids=list(old_id.values()))
    assert {row.id for row in letters} == {old_id[dead_young]}


async def test_a_job_that_is_retried_while_it_is_about_to_be_removed_stays(
    jobs: Jobs, clean_up: Jobs, registry: JobRegistry
) -> None:
    one_attempt = replace(jobs, kind=toy_kind(max_attempts=1))
    definition = one_attempt.registry(raises(KeyError()))
    failed = await one_attempt.one()
    await one_attempt.attempt(definition, failed)
    old = first_id_at(utc_now(), timedelta(days=-91))
    await jobs.change(AGE_JOB, id=failed, old=old, days=91)

    async with jobs.database.transaction(jobs.workspace_id) as tx:
        await service.retry_job(tx, jobs.actor, definition, job_id=old)
        await soon(cleaned(clean_up, registry))

    assert (await jobs.view(old)).status == "queued"


async def test_more_than_one_batch_is_removed_in_one_run(jobs: Jobs, clean_up: Jobs, registry: JobRegistry) -> None:
    sql = """
    INSERT INTO login_failures (subject_hash, failures, window_started_at)
    SELECT uuid_send(gen_random_uuid()), 77, now() - interval '2 days' FROM generate_series(1, 5001)
    """
    await jobs.change(sql)

    await cleaned(clean_up, registry)

    assert await count(jobs, "SELECT count(*) FROM login_failures WHERE failures = 77") == 0
