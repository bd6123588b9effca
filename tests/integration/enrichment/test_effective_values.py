"""Found values for the empty fields of a lead: on its page, over HTTP, accepted and undone."""

import json
from typing import Any
from uuid import UUID

from leadflood.domains.companies import service as companies
from leadflood.domains.companies.contracts import UpdateCompany
from leadflood.domains.companies.queries import get_company
from leadflood.domains.enrichment.models import company_fields, lead_fields
from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.leads.queries.history import field_history
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import Bench, Scripted, value
from tests.integration.enrichment.office import Office, domain
from tests.integration.web.conftest import (
    House,
    NewHouse,
    house,
    new_house,
    owner,
    pages_app,
    pages_parts,
    site_parts,
    viewer,
)
from tests.support.asked_sources import ScriptedSource, fact, finds, spec_of
from tests.support.statements import counted
from tests.support.tenants import bearer, new_key, new_member
from tests.support.web import Browser

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts", "viewer"]


class Desk:
    """A lead of a company about both of which sources have found values, and the API."""

    def __init__(self, house: House, company: str) -> None:
        self.house, self.company = house, company
        self.bench = Bench(house.parts.database, house.actor)
        self.lead_id = UUID(int=0)
        self.headers: dict[str, str] = {}

    async def open(self, **known: object) -> "Desk":
        person = Scripted(
            "people",
            [
                [
                    value(lead_fields.FIRST_NAME, "Alan", 0.95),
                    value(lead_fields.LAST_NAME, "Turing", 0.9),
                    value(lead_fields.JOB_TITLE, "Reader", 0.4),
                    value(lead_fields.COMPANY_NAME, "Guess", 0.5),
                ]
            ],
            is_local=True,
        )
        given = [fact("Bletchley Works", of=company_fields.NAME), fact("GB", of=company_fields.COUNTRY)]
        given += [
            fact("+442079460958", of=company_fields.PHONE),
            fact("https://bletchley.example", of=company_fields.WEBSITE),
        ]
        spec = spec_of(f"register-{self.company}", *(item.field for item in given))
        register = ScriptedSource(spec, [finds(*given)])
        made = await self.bench.create(f"alan@{self.company}")
        self.lead_id = made.lead_id
        if known:
            await self.edit(**known)
        await self.bench.attempt(made.job_id, person, register)
        await self.bench.attempt(await Office(self.bench).run_job(self.company), person, register)
        await self.bench.attempt(made.job_id, person, register)
        database, workspace_id = self.house.parts.database, self.house.workspace_id
        owner_id = await new_member(database, workspace_id, Role.OWNER)
        self.headers = bearer((await new_key(database, workspace_id, owner_id))[1])
        return self

    async def edit(self, **fields: object) -> None:
        async with self.bench.database.transaction(self.bench.actor.workspace_id) as tx:
            command = UpdateLead.model_validate(fields)
            await service.update_lead(
                tx, self.bench.actor, lead_id=self.lead_id, command=command, expected_version=None
            )

    async def lead(self) -> LeadView:
        async with self.bench.database.transaction(self.bench.actor.workspace_id, read_only=True) as tx:
            return await queries.get_lead(tx, self.bench.actor, lead_id=self.lead_id)

    async def read(self) -> dict[str, Any]:
        client = (await self.house.stranger()).client
        found: dict[str, Any] = (await client.get(f"/v1/leads/{self.lead_id}", headers=self.headers)).json()
        return found

    async def accept(self, body: dict[str, Any], lead_id: UUID | None = None) -> tuple[int, dict[str, Any]]:
        client = (await self.house.stranger()).client
        path = f"/v1/leads/{lead_id or self.lead_id}/acceptances"
        answer = await client.post(path, json=body, headers=self.headers)
        return answer.status_code, answer.json()


async def test_one_lead_has_the_found_values_of_its_empty_fields(house: House) -> None:
    desk = await Desk(house, domain()).open(lastName="Written")

    found = (await desk.read())["effectiveValues"]

    assert {name: (item["value"], item["state"], item["subject"]) for name, item in found.items()} == {
        "firstName": ("Alan", "filled", "lead"),
        "company": ("Bletchley Works", "filled", "company"),
        "jobTitle": ("Reader", "suggested", "lead"),
        "phone": ("+442079460958", "suggested", "company"),
        "country": ("GB", "filled", "company"),
        "website": ("https://bletchley.example", "filled", "company"),
    }
    assert (found["firstName"]["source"], found["firstName"]["confidence"]) == ("people", 0.95)


async def test_a_list_has_the_same_values_and_finds_leads_by_those_that_fill(house: House) -> None:
    desk = await Desk(house, domain()).open()
    await house.lead("nothing@found.example")
    client = (await house.stranger()).client

    async def listed(**query: str) -> dict[str, Any]:
        answer = await client.get("/v1/leads", headers=desk.headers, params=query)
        return {item["id"]: item["effectiveValues"] for item in answer.json()["items"]}

    single = await desk.read()
    found = {str(desk.lead_id): single["effectiveValues"]}
    assert (single["firstName"], len(await listed()), found.items() <= (await listed()).items()) == (None, 2, True)
    assert await listed(q="bletchley") == await listed(country="GB") == found
    assert await listed(q="reader") == {}, "a suggestion does not count"
    assert [next(iter(await listed(sort=sort))) for sort in ("name", "company")] == [str(desk.lead_id)] * 2


async def test_the_page_shows_found_values_with_receipts_and_is_titled_by_them(house: House, viewer: Browser) -> None:
    desk = await Desk(house, domain()).open()

    seen = await viewer.get(f"/leads/{desk.lead_id}")

    assert seen.all("h1") == ["Alan Turing"]
    first, title = seen.all("#field-firstName")[0], seen.all("#field-jobTitle")[0]
    assert ("Alan" in first, "It is Alan." in first, "Found" in first, "Suggested" in first) == (
        True,
        True,
        True,
        False,
    )
    assert ("Reader" in title, "Suggested" in title) == (True, True)
    assert not seen.all("form[action$=acceptances]"), "a viewer can't accept"


async def test_the_list_shows_found_values_with_a_mark_and_edits_the_field_itself(
    house: House, viewer: Browser, owner: Browser
) -> None:
    await Desk(house, domain()).open(lastName="Written")

    seen = await viewer.get("/leads?q=alan&column=name&column=company&column=jobTitle&column=country")
    edited = await owner.get("/leads?column=email&column=company")

    assert [cell.split()[:2] for cell in seen.all("td.cell-lead")] == [["Alan", "Written"]]
    tips = [node.attributes["data-tip"] for node in seen.html.css("td .cell-found")]
    assert tips[0] == "Found by People, 95%"
    assert (len(tips), "Reader" in seen.text, "United Kingdom" in seen.text) == (3, False, True)
    (company,) = edited.html.css("td[data-field=company]")
    assert (company.text().strip(), company.attributes["data-value"]) == ("Bletchley Works", "")


async def test_a_company_without_a_name_is_titled_by_its_found_name(house: House, viewer: Browser) -> None:
    desk = await Desk(house, domain()).open()
    company_id = await Office(desk.bench).company_id(desk.company)

    assert (await viewer.get(f"/companies/{company_id}")).all("h1") == ["Bletchley Works"]
    assert "Bletchley Works" in (await viewer.get("/companies")).all("main")[0]
    lead = await viewer.get(f"/leads/{desk.lead_id}")
    assert "Bletchley Works" in lead.all("#panel-company")[0]
    assert "View Bletchley Works" in lead.all("#panel-company-facts")[0]


async def test_a_value_is_accepted_and_undone_on_the_page(house: House, owner: Browser) -> None:
    desk = await Desk(house, domain()).open()
    await owner.get(f"/leads/{desk.lead_id}")

    seen = await owner.post(f"/leads/{desk.lead_id}/acceptances", {"jobTitle": "Reader", "firstName": "Alan"})

    assert "2 values accepted." in seen.text
    lead = await desk.lead()
    assert (lead.job_title, lead.first_name, lead.last_name) == ("Reader", "Alan", None)
    assert "Accepted from People" in (await owner.get(f"/leads/{desk.lead_id}/history")).text
    await owner.get(f"/leads/{desk.lead_id}")
    await owner.post(seen.attribute(".toast form", "action") or "")
    assert (await desk.lead()).job_title is None


async def test_accept_all_of_the_page_accepts_what_it_showed(house: House, owner: Browser) -> None:
    desk = await Desk(house, domain()).open()
    page = await owner.get(f"/leads/{desk.lead_id}")
    forms = [node for node in page.html.css("form[action$=acceptances]") if "Accept all" in node.text()]
    sent = {
        node.attributes["name"] or "": node.attributes["value"] or ""
        for node in forms[0].css("input")
        if node.attributes["name"] != "csrf"
    }

    await owner.post(f"/leads/{desk.lead_id}/acceptances", sent)

    lead = await desk.lead()
    assert (lead.first_name, lead.company, lead.country) == ("Alan", "Bletchley Works", "GB")
    assert (await desk.read())["effectiveValues"] == {}


async def test_an_acceptance_is_recorded_with_the_source_and_can_be_repeated(house: House) -> None:
    desk = await Desk(house, domain()).open()
    wanted = {"values": {"firstName": "Alan", "country": "GB"}}

    status, done = await desk.accept(wanted)
    again = await desk.accept(wanted)

    assert (status, sorted(done["fields"])) == (200, ["country", "firstName"])
    assert (again[0], again[1]["fields"], again[1]["changesetId"]) == (200, [], None)
    assert (await desk.lead()).version == done["version"] == again[1]["version"]
    async with desk.bench.database.transaction(house.workspace_id, read_only=True) as tx:
        changes = (await field_history(tx, desk.bench.actor, lead_id=desk.lead_id, limit=10)).items
        audited = await tx.all(
            sql("SELECT data FROM audit_events WHERE subject_id = :id AND action = 'leads.updated'"),
            {"id": desk.lead_id},
        )
    register = f"register-{desk.company}"
    assert {item.field: (item.new_value, item.found_by) for item in changes} == {
        "firstName": ("Alan", "people"),
        "country": ("GB", register),
    }
    assert {str(item.changeset_id) for item in changes} == {done["changesetId"]}
    (entry,) = audited
    data = entry.data if isinstance(entry.data, dict) else json.loads(entry.data)
    assert data["foundBy"] == {"country": register, "first_name": "people"}


async def test_without_values_all_are_accepted(house: House) -> None:
    desk = await Desk(house, domain()).open(firstName="Written")

    _, done = await desk.accept({})

    assert set(done["fields"]) == {"lastName", "company", "jobTitle", "phone", "country", "website"}
    assert (await desk.lead()).first_name == "Written"


async def test_what_was_written_meanwhile_is_kept(house: House) -> None:
    desk = await Desk(house, domain()).open()
    await desk.edit(firstName="Written")

    status, refused = await desk.accept({"values": {"firstName": "Alan", "country": "GB"}})

    assert (status, refused["code"]) == (409, "fields_taken")
    lead = await desk.lead()
    assert (lead.first_name, lead.country) == ("Written", None)


async def test_a_value_that_is_no_longer_chosen_is_not_accepted(house: House) -> None:
    desk = await Desk(house, domain()).open()
    fresh = Scripted("people", [[value(lead_fields.FIRST_NAME, "Alonzo", 0.95)]], is_local=True)
    await desk.bench.attempt(await desk.bench.again(desk.lead_id), fresh)

    status, refused = await desk.accept({"values": {"firstName": "Alan"}})

    assert (status, refused["code"]) == (409, "found_value_changed")
    assert (await desk.lead()).first_name is None
    assert (await desk.accept({"values": {"email": "x@y.com"}}))[0] == 400


async def test_a_lead_of_another_workspace_is_as_if_it_were_not(house: House, new_house: NewHouse) -> None:
    desk = await Desk(house, domain()).open()
    theirs = await (await new_house()).lead("ada@acme.com")

    assert (await desk.accept({}, theirs))[0] == 404


async def test_values_of_the_company_are_values_of_the_lead_for_all_who_may_read_it(house: House) -> None:
    desk = await Desk(house, domain()).open()
    database, workspace_id = house.parts.database, house.workspace_id
    owner_id = await new_member(database, workspace_id, Role.OWNER)
    desk.headers = bearer((await new_key(database, workspace_id, owner_id, [LEADS_READ]))[1])

    found = (await desk.read())["effectiveValues"]

    assert {item["subject"] for item in found.values()} == {"lead", "company"}
    assert found["company"]["value"] == "Bletchley Works"


async def test_a_company_that_a_user_named_has_no_found_name(house: House) -> None:
    desk = await Desk(house, domain()).open()
    company_id = await Office(desk.bench).company_id(desk.company)
    async with desk.bench.database.transaction(house.workspace_id) as tx:
        await companies.update_company(
            tx,
            desk.bench.actor,
            company_id=company_id,
            command=UpdateCompany(name="Ours"),
            expected_version=(await get_company(tx, desk.bench.actor, company_id=company_id)).version,
        )

    found = (await desk.read())["effectiveValues"]

    assert ("company" in found, "website" in found) == (False, True)


async def test_the_number_of_statements_does_not_depend_on_what_was_found(house: House) -> None:
    desk = await Desk(house, domain()).open()
    pool = house.parts.database.pool
    await desk.read()
    with counted(pool) as found:
        await desk.read()
    await desk.edit(firstName="A", lastName="B", company="C", jobTitle="D", country="GB", website=f"{desk.company}")
    with counted(pool) as written:
        await desk.read()

    assert len(found.texts) == len(written.texts)
