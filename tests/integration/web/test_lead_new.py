"""A new lead in the dialog over the list: owner, duplicates and slips of the finger before anything is sent."""

import pytest

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House, NewHouse
from tests.support.web import Browser

DIALOG = "leads-dialog"


async def all_leads(house: House) -> list[LeadView]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        page = await queries.list_leads(tx, house.actor, filters=LeadFilter(), limit=200)
    return list(page.items)


async def test_whoever_types_a_lead_in_is_its_owner_unless_another_is_chosen(house: House) -> None:
    user_id, _ = await house.member(Role.MEMBER)
    browser = await house.enter(user_id, Role.MEMBER)

    page, dialog = await browser.get("/leads/new"), await browser.part("/leads/new", DIALOG)
    await browser.get("/leads")
    await browser.post("/leads", {"email": "mine@acme.com", "ownerId": str(user_id)})
    await browser.post("/leads", {"email": "free@acme.com", "ownerId": ""})

    for seen, field in ((page, "#f-ownerId"), (dialog, "#new-f-ownerId")):
        assert seen.attribute(f"{field} option[selected]", "value") == str(user_id)
    assert {lead.email: lead.owner_id for lead in await all_leads(house)} == {
        "mine@acme.com": user_id,
        "free@acme.com": None,
    }


async def test_a_duplicate_is_told_while_one_types_with_a_link_to_the_lead(
    owner: Browser, house: House, new_house: NewHouse
) -> None:
    lead_id = await house.lead("ada@acme.com")
    await (await new_house()).lead("elsewhere@acme.com")
    await owner.get("/leads")

    async def hints(email: str, **more: str) -> tuple[str, str | None]:
        fields = {"email": email, "touched": "email", "quick": "on", **more}
        seen = await owner.post_part("/leads/checks", "lead-quick", fields)
        assert seen.status == 200
        return " ".join(seen.all(".callout")), seen.attribute(".callout a", "href")

    assert await hints(" ADA@Acme.com ") == ("A lead with this email already exists View lead", f"/leads/{lead_id}")
    assert await hints("elsewhere@acme.com") == ("", None)
    assert await hints("ada@acme.com", touched="firstName") == ("", None)
    assert len(await all_leads(house)) == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("jane@gmial.com", "jane@gmail.com"),
        ("jane@yahoo", "jane@yahoo.com"),
        ("jane@gmail,com", "jane@gmail.com"),
        ("jane@acme.com", None),
        ("", None),
        ("@", None),
        ("no address", None),
        ("ja😀ne@@", None),
    ],
)
async def test_the_address_that_was_probably_meant_can_be_taken_over(
    owner: Browser, house: House, typed: str, meant: str | None
) -> None:
    await owner.get("/leads")

    seen = await owner.post_part("/leads/checks", "lead-quick", {"email": typed, "touched": "email", "quick": "on"})

    assert seen.status == 200
    assert seen.attribute("[data-fill]", "value") == meant


async def test_the_dialog_goes_to_the_lead_or_on_to_another(owner: Browser, house: House) -> None:
    await owner.get("/leads")

    done = await owner.post_part("/leads", DIALOG, {"email": "a@acme.com", "quick": "on"})
    more = {"email": "b@acme.com", "company": "Acme", "quick": "on", "another": "on"}
    another = await owner.post_part("/leads", DIALOG, more)
    plain = await owner.post("/leads", {"email": "c@acme.com", "another": "on"})

    leads = {lead.email: lead.id for lead in await all_leads(house)}
    assert done.response.headers["HX-Redirect"] == f"/leads/{leads['a@acme.com']}"
    assert another.attribute("#new-f-email", "value") == ""
    assert another.attribute("#new-f-company", "value") == ""
    assert another.attribute(".toast a", "href") == f"/leads/{leads['b@acme.com']}"
    assert (plain.path, plain.attribute(".toast a", "href")) == ("/leads/new", f"/leads/{leads['c@acme.com']}")


async def test_a_fault_keeps_the_dialog_open_with_what_was_typed(owner: Browser, house: House) -> None:
    existing = await house.lead("ada@acme.com")
    await owner.get("/leads")

    bad = await owner.post_part("/leads", DIALOG, {"email": "ada@", "firstName": "Ada", "quick": "on"})
    twice = await owner.post_part("/leads", DIALOG, {"email": "ada@acme.com", "firstName": "Ada", "quick": "on"})

    assert (bad.status, twice.status) == (400, 409)
    for seen in (bad, twice):
        assert seen.attribute("#new-f-firstName", "value") == "Ada"
        assert seen.html.css(f"#{DIALOG} dialog[open]") != []
    assert bad.html.css("#new-f-email[aria-invalid=true]") != []
    assert twice.attribute(".callout a", "href") == f"/leads/{existing}"
