"""The list of leads."""

import re
from urllib.parse import parse_qs

import pytest

from leadflood.domains.leads import queries
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.kernel.actor import Role
from leadflood.web.pages.lead_list_params import LeadListParams
from tests.integration.web.conftest import House, NewHouse
from tests.support.web import Browser, Seen


def names(seen: Seen) -> list[str]:
    return seen.all("#leads-list tbody .row-link")


async def emails(house: House) -> set[str]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        page = await queries.list_leads(tx, house.actor, filters=LeadFilter(), limit=200)
    return {lead.email for lead in page.items}


async def test_an_empty_list_says_what_to_do_next(owner: Browser, viewer: Browser) -> None:
    assert "No leads yet" in (await owner.get("/leads")).text
    assert (await owner.get("/leads")).html.css(".empty a[href='/leads/new']")
    assert (await viewer.get("/leads")).html.css(".empty a[href='/leads/new']") == []


async def test_leads_are_found_by_part_of_name_company_and_address(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com", firstName="Ada", company="Analytical")
    await house.lead("grace@navy.com", firstName="Grace")

    assert names(await owner.get("/leads?q=analyt")) == ["Ada"]
    assert names(await owner.part("/leads?q=navy", "leads-list")) == ["Grace"]
    nothing = await owner.get("/leads?q=nobody")
    assert names(nothing) == []
    assert "No leads found" in nothing.text


async def test_filters_narrow_and_their_chips_take_them_back(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com", source="web-form", phone="+442079460958")
    await house.lead("grace@navy.com", source="conference")

    seen = await owner.get("/leads?source=web-form&phone=yes&status=new")

    assert names(seen) == ["ada@acme.com"]
    assert seen.all(".chip__key") == ["Enrichment", "Source", "Phone"]
    removals = [node.attributes["href"] or "" for node in seen.html.css(".chip__remove")]
    assert [sorted(parse_qs(removal.partition("?")[2])) for removal in removals] == [
        ["phone", "source"],
        ["phone", "status"],
        ["source", "status"],
    ]


async def test_the_address_says_all_so_that_it_can_be_shared(owner: Browser, house: House) -> None:
    for n in range(3):
        await house.lead(f"a{n}@acme.com", country="GB")

    seen = await owner.get("/leads?sort=email&column=email&column=country")

    assert seen.all("th") == ["Email", "Country"]
    assert names(seen) == ["a0@acme.com", "a1@acme.com", "a2@acme.com"]
    assert seen.attribute("th[aria-sort]", "aria-sort") == "ascending"


async def test_paging_goes_through_all_leads_once(owner: Browser, house: House) -> None:
    wanted = {f"lead{n:03}@acme.com" for n in range(120)}
    for email in sorted(wanted):
        await house.lead(email)

    found: list[str] = []
    path: str | None = "/leads?sort=email"
    while path:
        seen = await owner.get(path)
        found += names(seen)
        path = seen.attribute("a[rel=next]", "href")

    assert found == sorted(wanted)


@pytest.mark.parametrize(
    "query",
    [
        "sort=nonsense",
        "status=nonsense",
        "owner=me",
        "days=x",
        "column=secret",
        "peek=1",
        "view=x",
        "q=%F0%9F%9A%80",
    ],
)
async def test_an_address_that_makes_no_sense_shows_the_list_all_the_same(owner: Browser, query: str) -> None:
    assert (await owner.get(f"/leads?{query}")).status == 200


async def test_a_cursor_of_another_list_is_refused_with_a_page(owner: Browser) -> None:
    assert (await owner.get("/leads?after=made-up")).status == 400


async def test_one_lead_is_shown_beside_the_list(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme")

    part = await owner.part(f"/leads?peek={lead_id}", "leads-peek")

    assert part.html.css_first("aside") is not None
    assert "Acme" in part.text
    assert part.html.css("#leads-list") == []


async def test_ticked_leads_are_deleted_together_and_brought_back(owner: Browser, house: House) -> None:
    first, second = await house.lead("a@acme.com"), await house.lead("b@acme.com")
    await house.lead("c@acme.com")
    await owner.get("/leads")

    ticked = {"ids": [str(first), str(second)], "action": "delete"}
    asked = await owner.post("/leads/bulk-changes", ticked)
    assert "Delete 2 leads?" in asked.text
    assert len(await emails(house)) == 3
    gone = await owner.post("/leads/bulk-changes", {**ticked, "confirmed": "on"})
    left = await emails(house)
    await owner.post(gone.attribute(".toast form", "action") or "")

    assert "2 leads deleted." in gone.text
    assert left == {"c@acme.com"}
    assert await emails(house) == {"a@acme.com", "b@acme.com", "c@acme.com"}


async def test_all_that_match_are_changed_and_no_others(owner: Browser, house: House) -> None:
    for n in range(60):
        await house.lead(f"lead{n}@acme.com", source="fair")
    await house.lead("other@acme.com", source="web-form")
    page = await owner.get("/leads?source=fair")
    form = {name: page.attribute(f"#bulk [name={name}]", "value") or "" for name in ("matching", "expected")}

    wanted = {**form, "all": "on", "action": "set:company", "company": "Fair Co"}
    asked = await owner.post("/leads/bulk-changes", wanted)
    assert "Set the company of 60 leads?" in asked.text
    assert names(await owner.get("/leads?q=fair+co")) == []
    done = await owner.post("/leads/bulk-changes", {**wanted, "confirmed": "on"})

    assert "60 leads updated." in done.text
    assert len(names(await owner.get("/leads?q=fair+co"))) == 50
    undone = await owner.post(done.attribute(".toast form", "action") or "")
    assert "Undone: 60 leads restored." in undone.text
    assert names(await owner.get("/leads?q=fair+co")) == []


async def test_more_that_match_by_now_than_were_seen_are_not_changed(owner: Browser, house: House) -> None:
    await house.lead("a@acme.com", source="fair")
    await owner.get("/leads")
    await house.lead("b@acme.com", source="fair")

    seen = await owner.post(
        "/leads/bulk-changes",
        {"matching": "source=fair", "expected": "1", "all": "on", "action": "delete", "confirmed": "on"},
    )

    assert seen.status == 409
    assert "The number of leads has changed." in seen.text
    assert "Delete 2 leads?" in seen.text
    assert await emails(house) == {"a@acme.com", "b@acme.com"}


async def test_nothing_ticked_changes_nothing_and_says_so(owner: Browser, house: House) -> None:
    await house.lead("a@acme.com")
    await owner.get("/leads")

    seen = await owner.post("/leads/bulk-changes", {"action": "delete"})

    assert seen.status == 400
    assert "Select at least one lead." in seen.text


async def test_leads_of_another_workspace_are_neither_listed_nor_changed(owner: Browser, new_house: NewHouse) -> None:
    other = await new_house()
    theirs = await other.lead("theirs@acme.com")
    await owner.get("/leads")

    await owner.post("/leads/bulk-changes", {"ids": [str(theirs)], "action": "delete"})

    assert names(await owner.get("/leads")) == []
    assert await emails(other) == {"theirs@acme.com"}


def test_a_state_survives_its_own_address() -> None:
    pairs = [
        ("q", "a&b"),
        ("status", "new"),
        ("status", "failed"),
        ("source", "x"),
        ("sort", "email"),
        ("column", "phone"),
    ]

    state = LeadListParams.read(pairs)
    again = LeadListParams.read(
        [(name, value) for name, values in parse_qs(state.url().partition("?")[2]).items() for value in values]
    )

    assert again == state
    assert re.fullmatch(r"/leads\?[^ ]+", state.url())


async def test_a_view_keeps_what_the_list_shows_and_is_changed_shared_and_removed(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com", source="web-form")
    await house.lead("grace@navy.com", source="fair")
    await owner.get("/leads")

    saved = await owner.post("/leads/views", {"name": "From the web", "query": "source=web-form&column=email"})
    view = saved.attribute("form[action$=removals]", "action") or ""
    changed = await owner.post(view.removesuffix("/removals"), {"query": "source=fair", "name": "Fair", "shared": "on"})
    removed = await owner.post(view)

    assert (names(saved), saved.all("th"), saved.all(".tabs__item[aria-current]")) == (
        ["ada@acme.com"],
        ["Email"],
        ["From the web"],
    )
    assert (names(changed), changed.all(".tabs__item")) == (["grace@navy.com"], ["All leads", "Fair"])
    assert removed.all(".tabs__item") == []


async def test_a_shared_view_is_seen_by_others_who_cannot_change_it(
    owner: Browser, viewer: Browser, new_house: NewHouse, house: House
) -> None:
    await owner.get("/leads")
    saved = await owner.post("/leads/views", {"name": "Failed", "shared": "on", "query": "status=failed"})
    await owner.post("/leads/views", {"name": "Mine", "query": "status=new"})
    path = (saved.attribute("form[action$=removals]", "action") or "").removesuffix("/removals")
    outsider = await (await new_house()).signed_in(Role.OWNER)

    seen = await viewer.get("/leads")
    assert seen.all(".tabs__item") == ["All leads", "Failed"]
    assert (await viewer.post(f"{path}/removals")).status == 403
    await outsider.get("/leads")
    assert (await outsider.post(f"{path}/removals")).status == 404


@pytest.mark.parametrize("expected", ["", "many", "-1"])
async def test_a_count_that_is_none_changes_nothing(owner: Browser, house: House, expected: str) -> None:
    await house.lead("a@acme.com")
    await owner.get("/leads")

    seen = await owner.post(
        "/leads/bulk-changes", {"matching": "", "expected": expected, "all": "on", "action": "delete"}
    )

    assert seen.status == 400
    assert await emails(house) == {"a@acme.com"}


async def test_a_deleted_view_is_brought_back_from_its_toast(owner: Browser) -> None:
    await owner.get("/leads")
    saved = await owner.post("/leads/views", {"name": "Fair", "query": "source=fair&column=email"})
    removal = saved.attribute("form[action$=removals]", "action") or ""

    gone = await owner.post(removal)
    back = await owner.post(gone.attribute(".toast form", "action") or "")

    assert (gone.path, gone.all(".tabs__item")) == ("/leads", [])
    assert back.all(".tabs__item[aria-current]") == ["Fair"]
    assert back.all("th") == ["Email"] or back.all(".chip__value") == ["Fair"]


async def test_anyone_who_sees_a_view_can_have_a_copy_of_it(owner: Browser, house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    await owner.get("/leads")
    await owner.post("/leads/views", {"name": "Fair", "query": "source=fair", "shared": "on"})
    shown = await member.get(((await member.get("/leads")).html.css(".tabs__item")[1].attributes["href"]) or "")

    copied = await member.post(shown.attribute("form[action$=copies]", "action") or "")

    assert shown.html.css("form[action$=removals], [commandfor=rename-view]") == []
    assert copied.all(".tabs__item[aria-current]") == ["Fair (copy)"]
    assert copied.all(".chip__value") == ["Fair"]
    assert copied.html.css("form[action$=removals]") != []


async def test_a_preview_shows_what_the_page_shows(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", company="Acme", customFields={"plan": "gold"})

    page = await owner.get(f"/leads/{lead_id}")
    peek = await owner.get(f"/leads?peek={lead_id}")

    for part in ("#lead-fields", "#lead-found", "#lead-timeline"):
        assert peek.all(f"[data-peek-panel] {part}") == page.all(part)
    assert peek.html.css(f"[data-peek-panel] form[action='/leads/{lead_id}/enrichments']") != []
