"""Retracting what a source wrote: other values are chosen, receipts stay, and an undo brings it back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.service import merging
from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.contracts.retractions import RetractionEstimate, RetractionView, RetractValues
from leadflood.domains.enrichment.errors import NothingToRetract, ValueCountExceeded
from leadflood.domains.enrichment.jobs.retractions import retracting
from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.queries import outdated
from leadflood.domains.enrichment.queries.retractions import get_retraction
from leadflood.domains.enrichment.service import retractions
from leadflood.domains.jobs.models import JobStatus
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.models import ChangesetStatus
from leadflood.domains.leads.service import changesets
from leadflood.kernel.actor import Role
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import Office, Register, domain, person
from tests.integration.enrichment.shelf import Shelf
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts, viewer
from tests.support.asked_sources import fact
from tests.support.tenants import bearer, new_key, new_member
from tests.support.web import Browser

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts", "viewer"]

FIRST, COUNTRY = lead_fields.FIRST_NAME, company_fields.COUNTRY
AGED = sql("""
UPDATE lookups
SET asked_at = asked_at - make_interval(days => 10), answered_at = answered_at - make_interval(days => 10)
WHERE workspace_id = :workspace_id AND source = :source
""")


class Desk(Shelf):
    """A shelf whose values are retracted."""

    async def age(self, source: str) -> None:
        """Everything that the source has written so far was ten days ago."""
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            await tx.execute(AGED, {"workspace_id": self.bench.actor.workspace_id, "source": source})

    async def count(self, source: str, **more: object) -> RetractionEstimate:
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await retractions.estimate(tx, self.bench.actor, command=self.command(source, dryRun=True, **more))

    async def retract(self, source: str, **more: object) -> RetractionView:
        """Retract what the source wrote in the last week."""
        command = self.command(source, **{"expectedCount": 1_000, **more})
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await retractions.retract(tx, self.bench.actor, command=command, trace={})

    async def undo(self, retraction_id: UUID) -> ChangesetView:
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            return await changesets.undo_changeset(
                tx, self.bench.actor, LEAD_PARTICIPANTS, changeset_id=retraction_id, trace={}
            )

    @staticmethod
    def command(source: str, **more: object) -> RetractValues:
        since = (utc_now() - timedelta(days=7)).isoformat()
        return RetractValues.model_validate({"source": source, "since": since, **more})

    async def sound(self) -> None:
        """Leads have the values that their choices say."""
        assert await self.stored() == await self.meant()
        async with self.bench.database.system(read_only=True) as tx:
            assert await outdated.violations(tx, workspace_id=self.bench.actor.workspace_id) == []


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


def receipts(values: Sequence[EnrichmentValueView]) -> list[tuple[str, object, bool, bool]]:
    """Field, value, whether it is chosen, and whether it was retracted."""
    return sorted((item.field, item.value, item.chosen, item.retraction is not None) for item in values)


async def test_what_a_source_wrote_about_a_lead_since_a_day_is_void_and_the_value_before_counts_again(
    desk: Desk,
) -> None:
    ada = await desk.lead(f"a@{domain()}", value(FIRST, "Before", 0.9))
    await desk.age("people")
    await desk.enrich(ada, value(FIRST, "Zzwrong", 0.95))
    assert (await desk.of(ada), await desk.listed("zzwrong")) == ({"first_name": "Zzwrong"}, [ada])

    assert (await desk.count("people")).model_dump(exclude={"until"}) == {
        "values": 1,
        "leads": 1,
        "companies": 0,
        "chosen": 1,
    }
    made = await desk.retract("people")

    assert (made.values, made.leads, made.ended_at is not None) == (1, 1, True)
    assert (await desk.of(ada), await desk.listed("zzwrong"), await desk.listed("before")) == (
        {"first_name": "Before"},
        [],
        [ada],
    )
    assert receipts((await desk.bench.enrichment(ada)).values) == [
        ("first_name", "Before", True, False),
        ("first_name", "Zzwrong", False, True),
    ]
    assert [event.kind for event in await desk.bench.timeline(ada)][-1] == "values.retracted"
    await desk.sound()
    with pytest.raises(NothingToRetract):
        await desk.retract("people")

    undone = await desk.undo(made.id)
    assert (undone.status, undone.reverted) == (ChangesetStatus.UNDONE, 1)
    assert await desk.of(ada) == {"first_name": "Zzwrong"}
    assert not any(item.retraction for item in (await desk.bench.enrichment(ada)).values)
    assert [event.kind for event in await desk.bench.timeline(ada)][-1] == "values.restored"
    await desk.sound()


async def test_facts_of_a_company_are_retracted_by_field_with_what_its_leads_have_of_them(desk: Desk) -> None:
    company = domain()
    ada = await desk.lead(f"a@{company}")
    company_id = await desk.office.company_id(company)
    await desk.read(company_id, fact("Old"), fact("DE", of=COUNTRY))
    await desk.age(desk.name)
    await desk.read(company_id, fact("New"), fact("FR", of=COUNTRY))

    made = await desk.retract(desk.name, field="country", companyId=str(company_id))

    assert (made.values, made.companies) == (1, 1)
    assert await desk.of(ada) == {"company": "New", "country": "DE"}
    found = await desk.office.facts(company)
    assert ("country", "FR", False, True) in receipts(found.values)
    await desk.sound()
    assert (await desk.undo(made.id)).status == ChangesetStatus.UNDONE
    assert await desk.of(ada) == {"company": "New", "country": "FR"}
    await desk.sound()


async def test_a_field_that_only_the_source_had_is_empty_again(desk: Desk) -> None:
    company = domain()
    ada = await desk.lead(f"a@{company}")
    await desk.read(await desk.office.company_id(company), fact("Only"))
    await desk.retract(desk.name)

    assert (await desk.of(ada), await desk.office.chosen(company)) == ({}, {})
    await desk.sound()


async def test_a_stored_answer_from_before_does_not_bring_the_value_back_but_the_source_may(bench: Bench) -> None:
    office, register, company = Office(bench), Register(), domain()
    made = await office.waiting(company, register)
    await office.read(company, register)
    await office.completes(made, register)
    desk = Desk(bench)

    await desk.retract(register.spec.name)
    assert await office.chosen(company) == {}
    again = await bench.again(made.lead_id)
    await bench.attempts(again, person(), register)
    assert (len(register.asked), await office.chosen(company)) == (1, {}), "nobody asks before the facts are due"

    async with bench.database.transaction(bench.actor.workspace_id) as tx:
        await tx.execute(
            sql("UPDATE company_runs SET fresh_until = now() WHERE workspace_id = :workspace_id"),
            {"workspace_id": bench.actor.workspace_id},
        )
    late = await office.waiting(company, register, "bob")
    await office.read(company, register)
    assert len(register.asked) == 2, "the stored answer has expired"
    assert (await office.chosen(company))["city"] == "Berlin"
    await office.completes(late, register)


async def test_only_the_period_the_field_and_the_subject_are_meant(desk: Desk) -> None:
    company = domain()
    ada = await desk.lead(f"a@{company}", value(FIRST, "Ada", 0.9), value(lead_fields.LAST_NAME, "L", 0.9))
    bob = await desk.lead(f"b@{company}", value(FIRST, "Bob", 0.9))
    until = (utc_now() - timedelta(hours=1)).isoformat()

    assert (await desk.count("people", until=until)).values == 0
    assert (await desk.count("people", field="first_name")).values == 2
    assert (await desk.count("people", leadId=str(bob))).values == 1
    assert (await desk.count("other")).values == 0
    with pytest.raises(ValueCountExceeded):
        await desk.retract("people", expectedCount=2)
    await desk.retract("people", field="last_name", leadId=str(ada))
    assert (await desk.of(ada), await desk.of(bob)) == ({"first_name": "Ada"}, {"first_name": "Bob"})


async def test_values_of_many_are_retracted_by_a_job_part_by_part_and_so_undone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [await desk.lead(f"p{number}@{domain()}", value(FIRST, f"P{number}", 0.9)) for number in range(3)]
    monkeypatch.setattr(retractions, "LEADS_AT_ONCE", 1)
    monkeypatch.setitem(retractions._AT_ONCE, SubjectKind.LEAD, 1)
    retraction = await desk.retract("people")

    assert (retraction.values, retraction.ended_at, await desk.of(made[0])) == (0, None, {"first_name": "P0"})
    assert retraction.job_id is not None
    job = await _run(desk.bench, retraction.job_id)
    assert job == JobStatus.COMPLETED
    async with desk.bench.database.transaction(desk.bench.actor.workspace_id, read_only=True) as tx:
        found = await get_retraction(tx, desk.bench.actor, retraction_id=retraction.id)
    assert (found.values, found.leads, found.ended_at is not None) == (3, 3, True)
    assert [await desk.of(lead_id) for lead_id in made] == [{}, {}, {}]
    await desk.sound()
    assert (await desk.undo(retraction.id)).reverted == 3
    assert [await desk.of(lead_id) for lead_id in made] == [{"first_name": f"P{number}"} for number in range(3)]


async def test_an_undo_after_a_merge_brings_the_values_back_to_the_lead_that_has_them_now(desk: Desk) -> None:
    company = domain()
    ada, other = await desk.lead(f"a@{company}", value(FIRST, "Ada", 0.9)), await desk.lead(f"b@{company}")
    retraction = await desk.retract("people")
    async with desk.bench.database.transaction(desk.bench.actor.workspace_id) as tx:
        await merging.merge(
            tx,
            desk.bench.actor,
            LEAD_PARTICIPANTS,
            command=MergeLeads.model_validate({"survivorId": str(other), "otherId": str(ada)}),
        )

    await desk.undo(retraction.id)
    assert await desk.of(other) == {"first_name": "Ada"}
    await desk.sound()


async def _run(bench: Bench, job_id: UUID) -> str:
    registry = bench.registry()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bench, "registry", lambda *_: JobRegistry([*registry._definitions.values(), *retracting()]))
        return (await bench.attempts(job_id)).status


class Api:
    """The API as a member of a workspace calls it."""

    def __init__(self, house: House, headers: dict[str, str]) -> None:
        self.house, self.headers = house, headers

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        client = (await self.house.stranger()).client
        answer = await client.request(method, path, json=body, headers=self.headers)
        return answer.status_code, answer.json()


async def test_values_are_counted_retracted_and_restored_over_http(house: House) -> None:
    desk = Desk(Bench(house.parts.database, house.actor))
    ada = await desk.lead(f"a@{domain()}", value(FIRST, "Ada", 0.9))
    owner_id = await new_member(house.parts.database, house.workspace_id, Role.OWNER)
    api = Api(house, bearer((await new_key(house.parts.database, house.workspace_id, owner_id))[1]))
    body = {"source": "people", "since": (utc_now() - timedelta(days=1)).isoformat()}

    status, refused = await api.call("POST", "/v1/retractions", body)
    assert (status, refused["errors"][0]["code"]) == (400, "required"), "one counts first"
    status, found = await api.call("POST", "/v1/retractions", {**body, "dryRun": True})
    assert (status, found["values"], await desk.of(ada)) == (200, 1, {"first_name": "Ada"})
    status, made = await api.call("POST", "/v1/retractions", {**body, "expectedCount": 1, "until": found["until"]})
    assert (status, made["values"], await desk.of(ada)) == (201, 1, {})
    status, values = await api.call("GET", f"/v1/leads/{ada}/enrichment")
    assert values["values"][0]["retraction"]["id"] == made["id"]
    status, listed = await api.call("GET", "/v1/retractions?source=people")
    assert [item["id"] for item in listed["items"]] == [made["id"]]
    status, _ = await api.call("POST", f"/v1/changesets/{made['id']}/undos")
    assert (status, await desk.of(ada)) == (202, {"first_name": "Ada"})
    status, shown = await api.call("GET", f"/v1/retractions/{made['id']}")
    assert datetime.fromisoformat(shown["undoneAt"]) > datetime.fromisoformat(shown["endedAt"])


async def wrong_company(house: House) -> tuple[Desk, str, UUID]:
    """A company whose name and country its website had wrong, and a lead of it."""
    desk, company = Desk(Bench(house.parts.database, house.actor), name="website"), domain()
    ada = await desk.lead(f"a@{company}")
    await desk.read(await desk.office.company_id(company), fact("Wrong"), fact("FR", of=COUNTRY))
    return desk, company, ada


PATH = "/settings/sources/website/retractions"


async def test_many_values_are_retracted_on_the_page_of_the_source_after_their_number_is_typed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, company, ada = await wrong_company(house)
    monkeypatch.setattr("leadflood.domains.enrichment.edge.retraction_pages.UNASKED", 1)
    member = await house.signed_in(Role.MEMBER)

    counted = await member.get(f"{PATH}/new?since=2026-01-01T00:00&about={company}")
    assert "Retract 2 values?" in counted.text
    given = {item.attributes["name"]: item.attributes["value"] or "" for item in counted.html.css("#confirm input")}
    form = {str(name): text for name, text in given.items() if name not in ("csrf", "typed")}
    refused = await member.post(PATH, form)
    assert (refused.status, "Type 2 to confirm." in refused.text) == (400, True)
    assert await desk.of(ada) == {"company": "Wrong", "country": "FR"}
    done = await member.post(PATH, {**form, "typed": "2"})
    assert ("2 values retracted." in done.text, await desk.of(ada)) == (True, {})


async def test_retracted_values_stay_as_receipts_and_in_the_history(house: House) -> None:
    desk, company, ada = await wrong_company(house)
    made = await desk.retract("website")
    member = await house.signed_in(Role.MEMBER)

    seen = await member.get(f"/companies/{await desk.office.company_id(company)}")
    assert ("Wrong" in seen.all("#panel-facts")[0], bool(seen.html.css(".receipt--retracted"))) == (True, True)
    assert "Found values retracted" in seen.all("#company-timeline")[0]
    assert "Wrong" not in (await member.get(f"/leads/{ada}")).all("#lead-fields")[0]
    listed = await member.get("/changes")
    assert "Retracted values of the source Website" in listed.text
    change = await member.get(f"/changes/{made.id}")
    assert (change.status, "1 updated" in change.text) == (200, True)


async def test_a_form_that_names_nothing_says_so(house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    blank = await member.get(f"{PATH}/new")
    wrong = await member.get(f"{PATH}/new?since=soon")
    unknown = await member.get(f"{PATH}/new?since=2026-01-01T00:00&about=nobody.example")

    assert (blank.status, bool(blank.html.css("#confirm"))) == (200, False)
    assert (wrong.status, "Enter a date and a time." in wrong.text) == (400, True)
    assert (unknown.status, "No company has the domain nobody.example." in unknown.text) == (400, True)


async def test_a_viewer_retracts_nothing(house: House, viewer: Browser) -> None:
    page = await viewer.get("/settings/sources/website/retractions/new")
    assert page.status == 403
    shown = await viewer.get("/settings/sources/email_insight")
    assert (shown.status, "Retract values" in shown.text) == (200, False)
