"""The sidebar and the settings: which places people see, what they count, and which one is current."""

import re

from leadflood.bootstrap import NAVIGATION
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.jobs import service
from leadflood.domains.leads.contracts.views import CreateView
from leadflood.domains.leads.service import views
from leadflood.kernel.actor import Role
from leadflood.kernel.pages import NavCount, Navigation, NavItem
from leadflood.web.sidebar import current_below
from tests.integration.web.conftest import House
from tests.integration.web.test_live import actor_of, streaming
from tests.support.served import Served
from tests.support.statements import counted
from tests.support.web import Browser, Seen


async def failed_lead(house: House, email: str) -> None:
    lead_id = await house.lead(email)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        [job] = (await jobs.list_jobs(tx, house.actor, subject_id=lead_id, limit=1)).items
        await service.cancel_job(tx, house.actor, house.parts.registry, job_id=job.id)


async def save_view(house: House, browser: Browser, name: str, **fields: object) -> str:
    """A view of the browser's user. Returns its id."""
    actor = await actor_of(house, browser)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        view = await views.create_view(tx, actor, command=CreateView.model_validate({"name": name, **fields}))
    return str(view.id)


def links(seen: Seen, within: str) -> dict[str, str]:
    """Text and address of the links in a part of the page, without their counts."""
    found = {}
    for node in seen.html.css(f"{within} a"):
        for count in node.css(".nav-count"):
            count.decompose()
        found[node.text().strip()] = node.attributes["href"] or ""
    return found


def count_of(seen: Seen, slug: str) -> str:
    return "".join(seen.all(f"#nav-{slug}-count"))


async def test_jobs_and_event_delivery_are_in_the_settings_of_those_who_administer(
    owner: Browser, viewer: Browser
) -> None:
    seen, less = await owner.get("/settings"), await viewer.get("/settings")

    assert {"Home", "Leads", "Imports", "Exports", "Duplicates", "Settings"} <= links(seen, ".sidebar").keys()
    assert not {"Background jobs", "Event delivery"} & links(seen, ".sidebar").keys()
    assert links(seen, ".settings__nav")["Background jobs"] == "/jobs"
    assert not {"Background jobs", "Event delivery", "API keys", "Audit log"} & links(less, ".settings__nav").keys()


async def test_failures_are_counted_beside_the_leads_and_for_administrators_beside_settings(
    owner: Browser, viewer: Browser, house: House
) -> None:
    await failed_lead(house, "a@acme.com")
    await failed_lead(house, "b@acme.com")
    await house.lead("c@acme.com")

    seen, less = await owner.get("/jobs"), await viewer.get("/settings")

    assert [count_of(seen, slug) for slug in ("leads", "leads-failed", "settings", "jobs", "outbox")] == [
        "3",
        "2 failed",
        "2 failed",
        "2 failed",
        "",
    ]
    assert (count_of(less, "leads-failed"), count_of(less, "settings")) == ("2 failed", "")


async def test_every_page_is_told_of_new_failures(server: Served, owner: Browser, house: House) -> None:
    async with streaming(server, owner, "/settings/appearance") as stream:
        await stream.next()
        await failed_lead(house, "a@acme.com")
        html = ""
        while "failed" not in html:
            name, html = await stream.next()
            assert name == "parts"

    assert re.search(r'id="nav-leads-failed-count">1<', html)


async def test_saved_views_are_below_leads_with_their_counts_in_one_statement(owner: Browser, house: House) -> None:
    actor = await actor_of(house, owner)
    await house.lead("ada@acme.com", company="Acme", ownerId=str(actor.user_id))
    await house.lead("grace@navy.mil", company="Navy")
    acme = await save_view(house, owner, "Acme & Co", filter={"q": "acme"})
    sourced = await save_view(house, owner, "From the API", filter={"source": ["api"]})
    nobody = await save_view(house, owner, "None", filter={"q": "zenith"})

    page = await owner.get(f"/leads?view={acme}&q=acme")
    with counted(house.parts.database.pool) as statements:
        counts = await owner.part("/leads/view-counts", "")

    assert {"All leads", "My leads", "Needs attention", "Acme & Co", "From the API"} <= links(page, ".sidebar").keys()
    assert page.all(".sidebar [aria-current=page]") == ["Acme & Co"]
    assert [count_of(counts, f"leads-{item}") for item in ("me", acme, sourced, nobody)] == ["1", "1", "2", "0"]
    assert len([text for text in statements.texts if "search_leads" in text]) == 1
    assert len([text for text in statements.texts if "FROM leads" in text]) == 1


async def test_one_of_the_items_below_leads_is_current(owner: Browser) -> None:
    for path, current in {
        "/leads": "All leads",
        "/leads?q=ada": "All leads",
        "/leads?owner=me": "My leads",
        "/leads?status=failed&sort=email": "Needs attention",
    }.items():
        assert [text.rstrip(" 0123456789") for text in (await owner.get(path)).all(".sidebar [aria-current=page]")] == [
            current
        ], path
    assert (await owner.get("/leads/new")).all(".sidebar [aria-current=page]") == ["Leads"]


async def test_views_of_others_are_shown_only_if_they_are_shared(owner: Browser, viewer: Browser, house: House) -> None:
    await save_view(house, owner, "Private")
    await save_view(house, owner, "Shared", shared=True)

    seen = links(await viewer.get("/"), ".sidebar")

    assert "Shared" in seen
    assert "Private" not in seen


async def test_the_palette_has_what_is_below_leads_but_not_all_leads_twice(owner: Browser) -> None:
    palette = await owner.part("/palette", "palette-list")
    addresses = [node.attributes["href"] for node in palette.html.css("a")]

    assert [addresses.count(path) for path in ("/leads", "/leads?owner=me", "/leads?status=failed")] == [1, 1, 1]


async def test_the_mail_catcher_is_listed_only_where_it_catches(house: House) -> None:
    operator = await house.signed_in(Role.OWNER, operator=True)

    assert "Mail catcher" not in links(await operator.get("/settings"), ".settings__nav")


def test_a_page_belongs_to_the_item_with_the_longest_path() -> None:
    navigation = Navigation(
        [
            NavItem("Settings", "/settings", "settings", "foot", failed="settings"),
            NavItem("Members", "/settings/members", "users", "workspace"),
            NavItem("Mine", "/leads?owner=me", "user", "main", parent="/leads"),
        ]
    )

    found = {path: getattr(navigation.at(path), "text", None) for path in ("/settings/members/7", "/settings/x", "/y")}

    assert found == {"/settings/members/7": "Members", "/settings/x": "Settings", "/y": None}


def test_the_item_with_the_most_of_the_query_is_current() -> None:
    items = [
        NavItem("All", "/leads", "contact", parent="/leads"),
        NavItem("Mine", "/leads?owner=me", "user", parent="/leads"),
        NavItem("View", "/leads?view=7&owner=me", "filter", parent="/leads", identified_by=("view",)),
    ]

    found = [
        current_below(items, "/leads", query)
        for query in ({}, {"owner": "me"}, {"view": "7", "q": "x"}, {"owner": "someone"})
    ]

    assert [item and item.text for item in found] == ["All", "Mine", "View", "All"]
    assert current_below(items, "/imports", {}) is None


def test_every_count_of_the_navigation_is_declared() -> None:
    declared = {each.name for each in NAVIGATION.counts} | {"settings"}

    assert all(isinstance(each, NavCount) for each in NAVIGATION.counts)
    assert {name for item in NAVIGATION.items for name in (item.count, item.failed) if name} == declared
