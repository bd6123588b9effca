"""The filter builder: every button sends the form, so that it works without scripts."""

from urllib.parse import urlencode

import pytest

from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House
from tests.support.web import Browser, Seen

FORM = "#lead-filter"


@pytest.fixture
async def leads(house: House) -> None:
    await house.lead("ada@acme.com", firstName="Ada", company="Acme", jobTitle="CTO", customFields={"seats": 5})
    await house.lead("grace@navy.example", firstName="Grace", company="Navy", country="GB")
    await house.lead("joan@acme.com", firstName="Joan", company="Acme")


def fields(seen: Seen) -> list[tuple[str, str]]:
    """Data of the form, without its buttons."""
    found = [
        (node.attributes.get("name") or "", node.attributes.get("value") or "")
        for node in seen.html.css(f"{FORM} input")
        if node.attributes.get("type") != "checkbox" or "checked" in node.attributes
    ]
    for select in seen.html.css(f"{FORM} select"):
        chosen = select.css_first("option[selected]") or select.css_first("option")
        found.append((select.attributes["name"] or "", (chosen.attributes.get("value") or "") if chosen else ""))
    return found


async def press(browser: Browser, seen: Seen, button: str, **changed: str) -> Seen:
    """Send the form with a button; `changed`: fields as typed, with `_` for the dots of their names."""
    typed = {name.replace("_", "."): value for name, value in changed.items()}
    sent = [(name, typed.pop(name, value)) for name, value in fields(seen) if name != "do"]
    return await browser.get(f"/leads/filter?{urlencode([*sent, *typed.items(), ('do', button)])}")


def names(seen: Seen) -> list[str]:
    return sorted(seen.all("#leads-list tbody .row-link"))


async def test_conditions_and_groups_are_built_and_applied(owner: Browser, leads: None) -> None:
    seen = await owner.get("/leads/filter?sort=email")

    seen = await press(owner, seen, "add", add="company")
    seen = await press(owner, seen, "group", add="jobTitle", operator_0="is", value_0="acme")
    seen = await press(owner, seen, "add.1", add="country", value_1_0="ct")
    shown = await press(owner, seen, "apply", value_1_1="GB")

    assert shown.all(".chip__key") == ["Company", "Group"]
    assert "(Job title contains ct or Country is United Kingdom)" in shown.text
    assert names(shown) == ["Ada"]
    assert "sort=email" in str(shown.response.url)


async def test_a_filter_is_shown_again_and_conditions_are_removed(owner: Browser, leads: None) -> None:
    listed = await owner.get("/leads?country=GB&status=new")
    seen = await owner.get(listed.attribute("a[href^='/leads/filter']", "href") or "")
    assert seen.all(".filter-row__field") == ["Enrichment", "Country"]

    seen = await press(owner, seen, "remove.0")
    shown = await press(owner, seen, "apply")

    assert names(shown) == ["Grace"]
    assert shown.all(".chip__key") == ["Country"]


async def test_a_value_at_fault_is_named_beside_its_condition(owner: Browser, leads: None) -> None:
    seen = await press(owner, await owner.get("/leads/filter"), "add", add="createdAt")
    seen = await press(owner, seen, "apply", value_0="0")

    assert seen.status == 400
    assert "3650" in seen.text
    assert seen.html.css("[aria-invalid=true]")
    assert names(await press(owner, seen, "apply", value_0="1")) == ["Ada", "Grace", "Joan"]


async def test_a_custom_field_and_me_are_filtered_by(owner: Browser, house: House, leads: None) -> None:
    seen = await press(owner, await owner.get("/leads/filter"), "add", add="customFields.seats")
    seen = await press(owner, seen, "update", operator_0="greaterThan")
    shown = await press(owner, seen, "apply", value_0="4")
    mine = await press(owner, await owner.get("/leads/filter"), "add", add="owner")

    assert names(shown) == ["Ada"]
    assert names(await press(owner, mine, "apply", value_0="me")) == []


@pytest.mark.parametrize(
    "query",
    [
        "do=add&add=shoe",
        "do=remove.9",
        "do=remove.x.y",
        "do=add.5",
        "field.0=shoe&do=update",
        "field.7.7=company&do=update",
    ],
)
async def test_what_no_form_sends_changes_nothing(owner: Browser, query: str) -> None:
    assert (await owner.get(f"/leads/filter?{query}")).status == 200


async def test_leads_of_an_import_are_chosen_by_its_file(owner: Browser, leads: None) -> None:
    seen = await press(owner, await owner.get("/leads/filter"), "add", add="import")

    assert names(await press(owner, seen, "apply", value_0=str(new_id()))) == []


@pytest.mark.parametrize(("field", "text"), [("country", "Switzerland"), ("source", "Trade show")])
async def test_countries_and_sources_are_chosen_by_name(owner: Browser, house: House, field: str, text: str) -> None:
    value = {"country": "CH", "source": "trade-show"}[field]
    await house.lead("ada@acme.com", **{field: value})

    seen = await press(owner, await owner.get("/leads/filter"), "add", add=field)
    options = {node.text(): node.attributes["value"] for node in seen.html.css(f"{FORM} select[name='value.0'] option")}
    assert options[text] == value
    assert options["Select…"] == ""
    faulty = await press(owner, seen, "apply")
    assert faulty.response.status_code == 400
    shown = await press(owner, seen, "apply", operator_0="isNot", value_0=value)
    assert shown.all(".chip__key") == [field.capitalize()]
    assert f"is not {text}" in " ".join(shown.all(".chip"))

    several = await press(owner, seen, "update", operator_0="isAnyOf", value_0=value)
    chosen = several.html.css("select[multiple] option[selected], input[type=checkbox][checked]")
    assert [node.attributes["value"] for node in chosen] == [value]


async def test_a_source_that_no_lead_has_stays_chosen(owner: Browser, leads: None) -> None:
    tree = '{"all":[{"field":"source","operator":"isNot","value":"old-fair"}]}'
    seen = await owner.get(f"/leads/filter?{urlencode({'filter': tree})}")

    assert seen.attribute(f"{FORM} select[name='value.0'] option[selected]", "value") == "old-fair"
    assert seen.all(f"{FORM} select[name='value.0'] option[selected]") == ["Old fair"]


async def test_a_new_condition_has_the_focus(owner: Browser, leads: None) -> None:
    def focused(seen: Seen) -> list[str | None]:
        return [node.attributes.get("name") for node in seen.html.css(f"{FORM} [autofocus]")]

    seen = await owner.get("/leads/filter")
    assert focused(seen) == []
    seen = await press(owner, seen, "add", add="company")
    assert focused(seen) == ["operator.0"]
    seen = await press(owner, seen, "group", add="country")
    assert focused(seen) == ["operator.1.0"]
    seen = await press(owner, seen, "add.1", add="email")
    assert focused(seen) == ["operator.1.1"]
    seen = await press(owner, seen, "remove.0")
    assert focused(seen) == ["add"]


@pytest.mark.parametrize("path", ["/lists/new", "/leads/export"])
async def test_a_form_begins_at_its_first_field(owner: Browser, path: str) -> None:
    seen = await owner.get(path)

    first = next(node for node in seen.html.css("main form input") if node.attributes.get("type") != "hidden")
    assert "autofocus" in first.attributes
