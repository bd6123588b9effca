"""Creating leads."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from leadflood.domains.jobs import queries as jobs
from leadflood.domains.jobs.models import JobStatus, OutboxStatus
from leadflood.domains.leads.contracts import LeadCreated
from leadflood.domains.leads.errors import DuplicateLead, UnknownOwner
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.conftest import new_workspace
from tests.integration.leads.desk import Desk
from tests.support.identity import Identity

ADA = "ada.lovelace@acme.com"


async def test_a_new_lead_is_stored_with_normalised_values(desk: Desk) -> None:
    made = await desk.create(
        "Ada.Lovelace+news@Bücher.EXAMPLE",
        firstName="  Ada  ",
        lastName="Lovelace",
        company="Acme\tLtd",
        jobTitle="Head of Research",
        phone="020 7946 0958",
        country="United Kingdom",
        website="ACME.com/",
        source="Web-Form",
        customFields={"plan": "pro", "seats": 12, "trial": False, "gone": None},
    )

    lead = await desk.get(made.lead_id)
    stored = (lead.email, lead.first_name, lead.company, lead.phone, lead.country, lead.website, lead.source)
    assert stored == (
        "Ada.Lovelace+news@bücher.example",
        "Ada",
        "Acme Ltd",
        "+442079460958",
        "GB",
        "https://acme.com",
        "web-form",
    )
    assert lead.custom_fields == {"plan": "pro", "seats": 12, "trial": False}
    assert (lead.status, lead.version, lead.error) == (LeadStatus.NEW, 1, None)


async def test_a_lead_comes_with_its_job_its_event_and_the_first_entry_of_its_timeline(desk: Desk) -> None:
    made = await desk.create(ADA)

    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        job = await jobs.get_job(tx, desk.actor, job_id=made.job_id)
        events = (await jobs.list_events(tx, desk.actor, limit=10)).items
    assert (job.status, job.subject_id, job.attempts) == (JobStatus.QUEUED, made.lead_id, 0)
    assert {(event.kind, event.job_id, event.status) for event in events} == {
        ("job.queued", made.job_id, OutboxStatus.SENT),
        ("lead.created.v1", None, OutboxStatus.SENT),
    }
    (entry,) = await desk.timeline(made.lead_id)
    assert (entry.kind, entry.data) == (LeadEventKind.CREATED, {"source": "api", "jobId": str(made.job_id)})
    assert entry.actor.kind == desk.actor.kind


async def test_a_second_lead_with_the_address_is_refused_with_the_id_of_the_first(desk: Desk) -> None:
    made = await desk.create("Jörg@Bücher.example")

    with pytest.raises(DuplicateLead) as refused:
        await desk.create("JO\u0308RG@xn--bcher-kva.example")

    assert refused.value.extra == {"existingId": str(made.lead_id)}
    assert [error.pointer for error in refused.value.errors] == ["/email"]


async def test_another_workspace_may_have_the_same_address(desk: Desk) -> None:
    other = Desk(desk.database, Actor.cli(await new_workspace(desk.database)))

    assert (await desk.create(ADA)).lead_id != (await other.create(ADA)).lead_id


async def test_of_fifty_parallel_creates_of_one_address_one_wins_and_all_others_learn_its_id(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.create(ADA) for _ in range(50)), return_exceptions=True)

    (winner,) = [answer for answer in answers if isinstance(answer, LeadCreated)]
    losers = [answer.extra["existingId"] for answer in answers if isinstance(answer, DuplicateLead)]
    assert Counter(losers) == {str(winner.lead_id): 49}
    counts = [
        await desk.count("SELECT count(*) FROM leads"),
        await desk.count("SELECT count(*) FROM job_executions"),
        await desk.count("SELECT count(*) FROM outbox_events WHERE kind = 'job.queued'"),
        await desk.count("SELECT count(*) FROM lead_events"),
    ]
    assert counts == [1, 1, 1, 1]


async def test_a_create_that_waited_for_one_that_was_rolled_back_succeeds(desk: Desk) -> None:
    blocker = sql(
        "INSERT INTO leads (workspace_id, id, email, email_norm, source, search_text)"
        " VALUES (:workspace_id, :id, :email, :email, 'api', '')"
    )
    row = {"workspace_id": desk.actor.workspace_id, "id": new_id(), "email": ADA}

    async def insert_and_roll_back() -> asyncio.Task[LeadCreated]:
        async with desk.database.transaction(desk.actor.workspace_id) as tx:
            await tx.execute(blocker, row)
            waiting = asyncio.create_task(desk.create(ADA))
            await somebody_waits(desk.database)
            waiters.append(waiting)
            raise ConnectionAbortedError

    waiters: list[asyncio.Task[LeadCreated]] = []
    with pytest.raises(ConnectionAbortedError):
        await insert_and_roll_back()

    assert (await desk.get((await waiters[0]).lead_id)).email == ADA


async def somebody_waits(database: Database) -> None:
    """Return once a backend waits for another one's transaction."""
    waiting = sql("SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted")
    async with asyncio.timeout(20):
        while True:
            async with database.statement() as connection:
                if await connection.scalar(waiting):
                    return


async def test_an_owner_must_be_a_member_of_the_workspace(desk: Desk, identity: Identity) -> None:
    member = await identity.new_member(desk.actor.workspace_id, Role.MEMBER)
    stranger = await identity.new_person()
    await identity.new_workspace(stranger)

    made = await desk.create(ADA, ownerId=str(member.id))
    assert (await desk.get(made.lead_id)).owner_id == member.id
    for unknown in (stranger.id, new_id()):
        with pytest.raises(UnknownOwner):
            await desk.create("grace@acme.com", ownerId=str(unknown))
        with pytest.raises(UnknownOwner):
            await desk.update(made.lead_id, 1, ownerId=str(unknown))
    assert await desk.count("SELECT count(*) FROM leads") == 1
    assert await desk.count("SELECT count(*) FROM job_executions") == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"firstName": "👩🏽\u200d🚀", "lastName": "🦄", "company": "Café ☕️ & Söhne"},
        {"firstName": "عبد الرحمن", "lastName": "בן־דוד", "company": "شركة ۱۲۳ Ltd"},
        {"firstName": "Z\u0351\u036b\u0313a", "lastName": "Nguyễn", "company": "ก็ตาม 株式会社"},
        {"firstName": "O'Brien\\", "lastName": '"; DROP TABLE leads; --', "company": "100% {x} $1 :id"},
    ],
)
async def test_any_script_survives_a_round_trip(desk: Desk, fields: dict[str, Any]) -> None:
    custom = {"note": f"{fields['firstName']}\n{fields['lastName']}"}

    made = await desk.create(ADA, **fields, customFields=custom)

    lead = await desk.get(made.lead_id)
    assert [lead.first_name, lead.last_name, lead.company] == list(fields.values())
    assert lead.custom_fields == custom
