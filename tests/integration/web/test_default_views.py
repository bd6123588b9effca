"""The view with which each person opens the list of leads."""

from urllib.parse import parse_qs

from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House
from tests.support.web import Browser, Seen


def query_of(seen: Seen) -> dict[str, list[str]]:
    return parse_qs(seen.response.url.query.decode())


def items(seen: Seen) -> list[str]:
    return [" ".join(text.split()) for text in seen.all("#view-menu .menu__item")]


async def choose(browser: Browser, seen: Seen) -> Seen:
    """Press the first item of the menu of the view that is shown."""
    form = seen.html.css("#view-menu form")[0]
    given = {node.attributes["name"] or "": node.attributes["value"] or "" for node in form.css("input")}
    given.pop("csrf")
    return await browser.post(form.attributes["action"] or "", given)


async def save(browser: Browser, name: str, query: str, *, shared: bool = False) -> Seen:
    await browser.get("/leads")
    return await browser.post("/leads/views", {"name": name, "query": query, **({"shared": "on"} if shared else {})})


async def test_leads_opens_with_the_chosen_view_until_it_is_given_up(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com", source="fair")
    saved = await save(owner, "Fair", "source=fair&layout=board")

    chosen = await choose(owner, saved)
    assert "Leads opens with “Fair”." in chosen.text
    opened = await owner.get("/leads")
    assert query_of(opened)["source"] == ["fair"]
    assert query_of(opened)["layout"] == ["board"]
    assert opened.all(".tabs__item[aria-current]") == ["Fair"]
    assert items(opened)[0] == "Stop using as default"

    everything = await owner.get("/leads?view=all")
    assert query_of(everything) == {"view": ["all"]}
    assert [text.split()[0] for text in everything.all(".sidebar [aria-current=page]")][-1:] == ["All"]
    given_up = await choose(owner, opened)
    assert "Leads opens with all leads." in given_up.text
    assert query_of(await owner.get("/leads")) == {}


async def test_all_leads_is_made_the_default_again(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com")
    assert items(await owner.get("/leads")) == []
    await choose(owner, await owner.get("/leads?owner=me"))

    everything = await owner.get("/leads?view=all")
    assert items(everything) == ["Make default"]
    await choose(owner, everything)

    assert query_of(await owner.get("/leads")) == {}


async def test_built_in_views_can_be_the_default_of_each_person_also_of_viewers(
    owner: Browser, viewer: Browser, house: House
) -> None:
    await choose(owner, await owner.get("/leads?owner=me"))
    mine = await viewer.get("/leads?status=failed")
    assert items(mine) == ["Make default"]
    told = await choose(viewer, mine)

    assert "Leads opens with “Needs attention”." in told.text
    assert query_of(await owner.get("/leads")) == {"owner": ["me"]}
    assert query_of(await viewer.get("/leads")) == {"status": ["failed"]}
    assert query_of(await (await house.signed_in(Role.MEMBER)).get("/leads")) == {}


async def test_a_deleted_or_no_longer_shared_view_is_all_leads_again(owner: Browser, house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    saved = await save(owner, "Theirs", "source=fair", shared=True)
    (view_id,) = query_of(saved)["view"]
    await choose(member, await member.get(f"/leads?source=fair&view={view_id}"))
    assert query_of(await member.get("/leads"))["view"] == [view_id]

    await owner.post(f"/leads/views/{view_id}", {"name": "Theirs"})
    assert query_of(await member.get("/leads")) == {}
    await owner.post(f"/leads/views/{view_id}", {"name": "Theirs", "shared": "on"})
    assert query_of(await member.get("/leads"))["view"] == [view_id]
    deleted = await owner.post(f"/leads/views/{view_id}/removals")
    assert query_of(deleted) == {"view": ["all"]}
    assert query_of(await member.get("/leads")) == {}


async def test_a_view_of_someone_else_cannot_be_the_default(owner: Browser, house: House) -> None:
    member = await house.signed_in(Role.MEMBER)
    saved = await save(owner, "Own", "source=fair")
    (view_id,) = query_of(saved)["view"]
    await member.get("/leads")

    assert (await member.post("/leads/default-view", {"view": view_id})).status == 404
    assert (await member.post("/leads/default-view", {"view": "nonsense"})).status == 400
    assert query_of(await member.get("/leads")) == {}


async def test_the_toast_of_a_change_survives_the_way_to_the_default_view(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    await choose(owner, await owner.get("/leads?owner=me"))

    seen = await owner.post(f"/leads/{lead_id}/deletion")

    assert query_of(seen) == {"owner": ["me"]}
    assert "Lead deleted." in seen.text
