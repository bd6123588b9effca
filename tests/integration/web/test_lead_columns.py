"""The columns of the list: chosen, ordered and sized on a page that needs no scripts, and saved with a view."""

from urllib.parse import parse_qsl, urlencode

from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.labels import COLUMNS
from tests.integration.web.conftest import House
from tests.support.web import Browser, Seen

NAMES = [*COLUMNS, *LEAD_EXTENSIONS.columns]


def order(seen: Seen) -> list[str | None]:
    return [node.attributes["value"] for node in seen.html.css("main input[name=order]")]


def chosen(seen: Seen) -> list[str | None]:
    return [node.attributes["value"] for node in seen.html.css("main input[name=column][checked]")]


def form(seen: Seen, pressed: str, **changes: str) -> str:
    """The address that a button of the form leads to."""
    inputs = [node.attributes for node in seen.html.css("main form input[name]")]
    fields = [
        (each["name"] or "", changes.get(each["name"] or "", each.get("value") or ""))
        for each in inputs
        if each.get("type") != "checkbox" or "checked" in each
    ]
    return "/leads/columns?" + urlencode([*fields, ("do", pressed)])


async def test_all_columns_are_offered_the_shown_ones_first_in_their_order(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com", customFields={"plan": "gold"})

    seen = await owner.get("/leads/columns?column=company&column=customFields.plan&column=name")

    assert chosen(seen) == ["company", "customFields.plan", "name"]
    assert order(seen)[:3] == chosen(seen)
    assert sorted(map(str, order(seen))) == sorted([*NAMES, "customFields.plan"])


async def test_a_column_is_moved_and_applied_without_scripts(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com")
    page = await owner.get("/leads/columns?column=name&column=company&column=email&status=new&sort=email")

    moved = await owner.get(form(page, "up.email", **{"width.company": "300"}))
    again = await owner.get(form(moved, "up.name"))
    applied = await owner.get(form(again, "apply"))

    assert chosen(moved) == ["name", "email", "company"]
    assert order(moved)[:3] == ["name", "email", "company"]
    assert order(again)[:3] == ["name", "email", "company"]
    assert applied.all("th") == ["Name", "Email", "Company"]
    assert applied.attribute("col[data-column=company]", "width") == "300"
    address = dict(parse_qsl(applied.response.url.query.decode()))
    assert (address["status"], address["sort"], address["width"]) == ("new", "email", "company.300")


async def test_a_view_keeps_order_and_widths_and_others_see_them(owner: Browser, viewer: Browser, house: House) -> None:
    await house.lead("ada@acme.com", company="Acme")
    query = "column=company&column=name&width=company.400"
    await owner.get("/leads")

    await owner.post("/leads/views", {"name": "Wide", "query": query, "shared": "on"})
    tab = (await viewer.get("/leads")).html.css(".tabs__item")[1].attributes["href"] or ""
    seen = await viewer.get(tab)

    assert seen.all("th") == ["Company", "Name"]
    assert seen.attribute("col[data-column=company]", "width") == "400"
    assert seen.all("tbody td") == ["Acme", "ada@acme.com"] or "Acme" in seen.all("tbody td")[0]


async def test_widths_that_make_no_sense_are_left_out(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com")

    seen = await owner.get("/leads?column=name&column=email&width=name.99999&width=email.2&width=secret.200&width=x")

    assert seen.status == 200
    assert seen.attribute("col[data-column=name]", "width") != "99999"
    assert seen.attribute("col[data-column=email]", "width") == "48"


async def test_the_first_column_leads_to_the_lead_whatever_it_shows(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", firstName="Ada", company="Acme")

    for column, text in (("company", "Acme Ada"), ("status", "Ada"), ("createdAt", "Ada"), ("phone", "Ada")):
        seen = await owner.get(f"/leads?column={column}&column=email")
        assert seen.all(".row-link") == [text]
        link = seen.attribute(".row-link", "href") or ""
        assert link.startswith(f"/leads/{lead_id}")
        assert (await owner.get(link)).status == 200
