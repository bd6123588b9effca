"""The settings page of custom fields, and the fields on the pages of leads."""

import pytest

from leadflood.domains.fields import queries, service
from leadflood.domains.fields.contracts import CreateField, FieldView
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.models import CustomValue
from tests.integration.web.conftest import House
from tests.support.web import Browser

PATH = "/settings/fields"


async def fields_of(house: House) -> list[FieldView]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return await queries.list_fields(tx, house.actor, subject=LEAD)


async def define(house: House, **given: object) -> FieldView:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        return await service.create_field(tx, house.actor, command=CreateField.model_validate(given))


async def custom_of(house: House, email: str) -> dict[str, CustomValue]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        page = await leads.list_leads(tx, house.actor, filters=LeadFilter(), limit=100)
    return next(lead.custom_fields for lead in page.items if lead.email == email)


async def test_without_fields_the_page_says_what_they_are_for(owner: Browser, viewer: Browser) -> None:
    assert (await owner.get(PATH)).all(".empty__title") == ["No custom fields yet"]
    seen = await viewer.get(PATH)
    assert seen.html.css(f"a[href='{PATH}/new']") == []
    assert (await viewer.get(f"{PATH}/new")).status == 403


async def test_a_field_is_added_changed_moved_archived_and_deleted_without_a_script(
    house: House, owner: Browser
) -> None:
    await define(house, label="Seats", type="number")
    await owner.get(f"{PATH}/new")
    seen = await owner.post(PATH, {"label": "Plan", "type": "choice", "options": "Free\nPro\n"})
    assert seen.all("#fields-list tbody td[data-label=Label]") == ["Seats", "Plan"]

    seats, plan = await fields_of(house)
    await owner.post(f"{PATH}/{plan.id}/moves", {"position": "0"})
    assert [item.key for item in await fields_of(house)] == ["plan", "seats"]
    shown = await owner.get(f"{PATH}/{plan.id}")
    assert shown.html.css("textarea[name=options]")[0].text().split() == ["Free", "Pro"]
    changed = {"label": "Tier", "type": "choice", "options": "Pro\nGold", "archived": "on", "version": "2"}
    seen = await owner.post(f"{PATH}/{plan.id}", changed)
    assert "Archived" in seen.text
    field = next(item for item in await fields_of(house) if item.key == "plan")
    assert (field.label, field.archived) == ("Tier", True)
    assert [(option.value, option.label) for option in field.options] == [("Pro", "Pro"), ("Gold", "Gold")]
    await owner.post(f"{PATH}/{seats.id}/deletion")
    assert [item.key for item in await fields_of(house)] == ["plan"]


@pytest.mark.parametrize(
    ("form", "faulty"), [({"label": "", "type": "text"}, "f-label"), ({"label": "Plan", "key": "1"}, "f-key")]
)
async def test_what_is_wrong_is_said_at_the_field(owner: Browser, form: dict[str, str], faulty: str) -> None:
    await owner.get(f"{PATH}/new")

    seen = await owner.post(PATH, form)

    assert seen.status == 400
    assert [node.attributes["id"] for node in seen.html.css("[aria-invalid=true]")] == [faulty]


async def test_a_key_that_programs_use_is_offered_as_a_field(house: House, owner: Browser) -> None:
    await house.lead("ada@acme.com", customFields={"annualRevenue": 12})

    seen = await owner.get(PATH)
    form = await owner.get(seen.html.css("a[href*='key=annualRevenue']")[0].attributes["href"] or "")

    assert (form.attribute("#f-label", "value"), form.attribute("#f-key", "value")) == (
        "Annual revenue",
        "annualRevenue",
    )


async def test_leads_show_and_take_typed_values(house: House, owner: Browser) -> None:
    await define(house, label="Seats", type="number")
    await define(house, label="Plan", type="choice", options=[{"value": "p", "label": "Pro plan"}, "Free"])
    await define(house, label="Tags", type="multi_choice", options=["Big", "Old"])
    await define(house, label="VIP", key="vip", type="boolean")
    await owner.get("/leads/new")

    refused = await owner.post("/leads", {"email": "ada@acme.com", "customFields.seats": "many"})
    assert [node.attributes["id"] for node in refused.html.css("[aria-invalid=true]")] == ["f-customFields-seats"]
    form = {
        "email": "ada@acme.com",
        "customFields.seats": "1,5",
        "customFields.plan": "p",
        "customFields.tags": ["", "Big", "Old"],
        "customFields.vip": "true",
    }
    seen = await owner.post("/leads", form)

    assert await custom_of(house, "ada@acme.com") == {"seats": 1.5, "plan": "p", "tags": ["Big", "Old"], "vip": True}
    assert {"Pro plan", "Big; Old", "1.5"} <= set(seen.all("#lead-fields dd span"))
    page = await owner.get(f"{seen.path}?edit=all")
    hidden: dict[str, list[str]] = {}
    for node in page.html.css("input[type=hidden][name^='base.'], input[name=version]"):
        hidden.setdefault(node.attributes["name"] or "", []).append(node.attributes["value"] or "")
    edit = {**hidden, "customFields.tags": [""], "customFields.seats": "2", "customFields.vip": "true"}
    await owner.post(seen.path, edit)
    assert await custom_of(house, "ada@acme.com") == {"seats": 2, "plan": "p", "vip": True}
