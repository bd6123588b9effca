"""Editing in the cells of the list: what others changed meanwhile stays, and nothing typed is lost."""

from uuid import UUID

import pytest

from leadflood.domains.fields import service as fields
from leadflood.domains.fields.contracts import CreateField
from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House, NewHouse
from tests.support.web import Browser, Seen

ROW = "leads-row"


async def stored(house: House, lead_id: UUID) -> LeadView:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return await queries.get_lead(tx, house.actor, lead_id=lead_id)


async def edit(browser: Browser, lead_id: UUID, query: str = "", **given: str) -> Seen:
    """Send a cell as the page's script does: each value with the one that it replaces, divided by `was`."""
    values = {name: value.partition(" was ") for name, value in given.items()}
    form = {name: new for name, (new, _, _) in values.items()} | {
        f"base.{name}": was for name, (_, _, was) in values.items()
    }
    return await browser.post_part(f"/leads/{lead_id}/cells?{query}", ROW, form)


def cells(seen: Seen) -> dict[str, str]:
    """The text of each cell of the row that an edit is answered with, by its label."""
    return {
        node.attributes["data-label"] or "": node.text().strip()
        for node in seen.html.css("tr[data-row] > td[data-label]")
    }


async def test_a_cell_is_saved_and_its_row_comes_back(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme")
    await owner.get("/leads")

    seen = await edit(owner, lead_id, "column=name&column=company&column=country", company="Initech was Acme")

    assert seen.status == 200
    assert cells(seen) == {"Name": "ada@acme.com", "Company": "Initech", "Country": ""}
    assert f'<tr data-row id="lead-{lead_id}"' in seen.response.text
    assert (await stored(house, lead_id)).company == "Initech"


async def test_a_name_has_two_inputs(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", firstName="Ada")
    await owner.get("/leads")

    seen = await edit(owner, lead_id, firstName="Ada was Ada", lastName="Lovelace")

    assert seen.all(".row-link") == ["Ada Lovelace"]
    assert (await stored(house, lead_id)).last_name == "Lovelace"


async def test_values_are_shown_as_people_read_them_and_edited_as_they_are_stored(owner: Browser, house: House) -> None:
    member, _ = await house.member(Role.MEMBER)
    fields_of_lead = {"phone": "+442079460958", "country": "GB", "ownerId": str(member)}
    lead_id = await house.lead("ada@acme.com", **fields_of_lead)
    query = "column=email&column=phone&column=country&column=owner"

    page = await owner.get(f"/leads?{query}")
    shown = {node.attributes["data-field"]: node for node in page.html.css("td[data-field]")}
    seen = await edit(owner, lead_id, query, phone="020 7946 0999 was +442079460958")

    assert shown["phone"].text().strip() == "+44 20 7946 0958"
    assert [shown[name].attributes["data-value"] for name in fields_of_lead] == list(fields_of_lead.values())
    assert (seen.status, (await stored(house, lead_id)).phone) == (200, "+442079460999")
    assert page.html.css_first("template[data-editor=country]") is not None
    assert page.html.css_first("template[data-editor=email]") is None


async def test_custom_fields_are_columns_with_their_labels_and_are_edited_by_type(owner: Browser, house: House) -> None:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        for name, kind in (("Renewal", "date"), ("Plan", "choice"), ("Seats", "number"), ("Tools", "multi_choice")):
            options = [{"value": "gold", "label": "Gold plan"}] if kind.endswith("choice") else None
            given = {"label": name, "type": kind} | ({"options": options} if options else {})
            command = CreateField.model_validate(given)
            await fields.create_field(tx, house.actor, command=command)
    lead_id = await house.lead("ada@acme.com", customFields={"plan": "gold", "tools": ["gold"]})
    query = "&".join(f"column=customFields.{key}" for key in ("plan", "renewal", "seats", "tools"))

    page = await owner.get(f"/leads?column=name&{query}")
    ok = await edit(owner, lead_id, query, **{"customFields.renewal": "2026-05-01", "customFields.seats": "1,200"})
    bad = await edit(owner, lead_id, query, **{"customFields.seats": "many was 1200"})

    assert page.all("th")[1:] == ["Plan", "Renewal", "Seats", "Tools"]
    assert page.all("tbody td[data-label=Plan]") == ["Gold plan"]
    assert page.html.css("td[data-field='customFields.tools']") == []
    assert (ok.status, bad.status) == (200, 400)
    assert "Must be a number" in bad.text
    assert (await stored(house, lead_id)).custom_fields["seats"] == 1200


@pytest.mark.parametrize(
    ("given", "words"), [({"email": "no address was ada@acme.com"}, "valid email"), ({"website": "a b"}, "valid url")]
)
async def test_a_refused_value_says_why_and_changes_nothing(
    owner: Browser, house: House, given: dict[str, str], words: str
) -> None:
    lead_id = await house.lead("ada@acme.com")
    await owner.get("/leads")

    seen = await edit(owner, lead_id, **given)

    assert (seen.status, cells(seen)) == (400, {})
    assert words in seen.text.lower()
    assert (await stored(house, lead_id)).version == 1


async def test_an_address_that_another_lead_has_leads_to_that_lead(owner: Browser, house: House) -> None:
    other = await house.lead("grace@navy.com")
    lead_id = await house.lead("ada@acme.com")
    await owner.get("/leads")

    seen = await edit(owner, lead_id, email="GRACE@navy.com was ada@acme.com")

    assert (seen.status, seen.attribute("a", "href")) == (409, f"/leads/{other}")


async def test_different_fields_of_two_people_are_both_kept(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme", jobTitle="Head")
    await owner.get("/leads")
    await edit(owner, lead_id, company="Theirs was Acme")

    seen = await edit(owner, lead_id, jobTitle="Chief was Head")

    lead = await stored(house, lead_id)
    assert (seen.status, lead.company, lead.job_title) == (200, "Theirs", "Chief")


async def test_the_same_field_of_two_people_asks_and_the_answer_counts(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme")
    await owner.get("/leads")
    await edit(owner, lead_id, company="Theirs was Acme")

    seen = await edit(owner, lead_id, company="Mine was Acme")

    assert seen.status == 409
    assert seen.all("#conflict th") == ["Field", "Yours", "Current"]
    assert seen.all("#conflict td") == ["Company", "Mine", "Theirs"]
    assert cells(seen)["Company"] == "Theirs"
    form = {
        node.attributes["name"] or "": node.attributes["value"] or "" for node in seen.html.css("#conflict-form input")
    }
    again = await owner.post_part(f"/leads/{lead_id}/cells", ROW, form)
    assert (again.status, (await stored(house, lead_id)).company) == (200, "Mine")


async def test_the_same_value_of_two_people_is_no_conflict(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme")
    await owner.get("/leads")
    await edit(owner, lead_id, company="Initech was Acme")

    seen = await edit(owner, lead_id, company="Initech was Acme")

    assert (seen.status, (await stored(house, lead_id)).version) == (200, 2)


async def test_cells_are_for_those_who_may_write_and_for_leads_that_are_there(
    owner: Browser, viewer: Browser, house: House, new_house: NewHouse
) -> None:
    lead_id = await house.lead("ada@acme.com")
    theirs = await (await new_house()).lead("ada@acme.com")
    page = await viewer.get("/leads")
    await owner.get("/leads")

    assert page.html.css("td[data-field], template[data-editor]") == []
    assert (await edit(viewer, lead_id, company="Mine")).status == 403
    assert (await edit(owner, theirs, company="Mine")).status == 404
    await owner.post(f"/leads/{lead_id}/deletion")
    assert (await edit(owner, lead_id, company="Mine")).status == 404
