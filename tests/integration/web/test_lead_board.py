"""The board of leads: columns, counts, moves by a form, undo, conflicts, and views that are boards."""

from urllib.parse import parse_qs
from uuid import UUID

import pytest

from leadflood.domains.leads import queries, service
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.stages import queries as stage_queries
from leadflood.domains.stages import service as stages
from leadflood.domains.stages.contracts import CreateStage, UpdateStage
from leadflood.web.pages.lead_cards import CARDS, MAX_CARDS
from tests.integration.web.conftest import House
from tests.support.statements import counted
from tests.support.web import Browser, Seen

BOARD = "/leads?layout=board"


def columns(seen: Seen) -> dict[str, list[str]]:
    """Names on the cards, by stage."""
    return {
        (column.attributes["data-stage"] or ""): [
            " ".join(node.text().split()) for node in column.css(".board__card .board__name")
        ]
        for column in seen.html.css(".board__column")
    }


def query_of(seen: Seen) -> dict[str, list[str]]:
    return parse_qs(seen.response.url.query.decode())


def counts(seen: Seen) -> list[str]:
    return [text.split()[0] for text in seen.all(".board__column .tabs__count")]


async def stored(house: House, lead_id: UUID) -> LeadView:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return await queries.get_lead(tx, house.actor, lead_id=lead_id)


async def set_stage(house: House, lead_id: UUID, stage: str | None) -> None:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await service.update_lead(
            tx, house.actor, lead_id=lead_id, command=UpdateLead(stage=stage), expected_version=None
        )


async def move(browser: Browser, lead_id: UUID, to: str, *, base: str = "new", query: str = "layout=board") -> Seen:
    await browser.get(BOARD)
    return await browser.post(f"/leads/{lead_id}/moves?{query}", {"stage": to, "base.stage": base})


async def test_a_board_has_a_column_for_each_stage_with_cards_and_counts(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com", firstName="Ada", company="Analytical", stage="qualified")
    await house.lead("grace@navy.com", firstName="Grace")

    seen = await owner.get(BOARD)

    assert columns(seen) == {
        "new": ["Grace"], "working": [], "qualified": ["Ada"], "customer": [], "disqualified": [],
    }  # fmt: skip
    assert counts(seen) == ["1", "0", "1", "0", "0"]
    assert "Analytical" in seen.all(".board__card")[1]
    assert seen.all(".board__empty") == ["No leads in this stage"] * 3
    assert seen.html.css(".bulkbar") == []


async def test_a_board_respects_search_filters_order_and_the_columns_of_the_view(owner: Browser, house: House) -> None:
    await house.lead("a@acme.com", firstName="Zoe", jobTitle="Chief", source="fair")
    await house.lead("b@acme.com", firstName="Ann", jobTitle="Head", source="fair")
    await house.lead("c@other.com", firstName="Carl", source="web")

    by_name = await owner.get(f"{BOARD}&sort=name&source=fair&column=name&column=jobTitle")
    searched = await owner.get(f"{BOARD}&q=other.com")
    staged = await owner.get(f"{BOARD}&stage=customer&stage=new")

    assert columns(by_name)["new"] == ["Ann", "Zoe"]
    assert ["Head" in text for text in by_name.all(".board__card")] == [True, False]
    assert columns(searched)["new"] == ["Carl"]
    assert counts(searched) == ["1", "0", "0", "0", "0"]
    assert [*columns(staged)] == ["new", "customer"]


async def test_leads_without_a_stage_and_of_archived_stages_have_columns(owner: Browser, house: House) -> None:
    lead_id, other = await house.lead("a@acme.com"), await house.lead("b@acme.com", stage="working")
    await set_stage(house, lead_id, None)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        known = (await stage_queries.stages_of(tx, house.workspace_id)).by_key
        for key in ("working", "customer"):
            await stages.update_stage(
                tx, house.actor, stage_id=known[key].id, command=UpdateStage(archived=True), expected_version=1
            )

    seen = await owner.get(BOARD)

    assert [*columns(seen)] == ["", "new", "working", "qualified", "disqualified"]
    assert seen.all(".board__stage")[0] == "No stage"
    assert "(archived)" in seen.all(".board__stage")[2]
    taking = [node.attributes["data-stage"] for node in seen.html.css("[data-takes]")]
    assert [key or "" for key in taking] == ["", "new", "qualified", "disqualified"]
    assert (await stored(house, other)).stage == "working"


async def test_a_lead_is_moved_by_a_form_without_scripts_and_the_move_is_undone(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", firstName="Ada", company="Analytical")
    link = (await owner.get(f"{BOARD}&q=analy")).attribute(".board__move", "href") or ""

    form = await owner.get(link)
    assert form.all("main .menu__item")[:2] == ["New", "Working"]
    seen = await owner.post(
        form.attribute("main form[action*=moves]", "action") or "",
        {"stage": "working", "base.stage": form.attribute("input[name='base.stage']", "value") or ""},
    )

    assert query_of(seen) == {"layout": ["board"], "q": ["analy"]}
    assert columns(seen)["working"] == ["Ada"]
    assert "Ada moved to Working." in seen.all(".toast")[0]
    assert (await stored(house, lead_id)).stage == "working"
    undo = seen.attribute(".toast form", "action") or ""
    await owner.post(undo)
    assert (await stored(house, lead_id)).stage == "new"


async def test_a_move_over_htmx_answers_with_the_board_and_a_toast(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com", firstName="Ada")

    await owner.get(BOARD)
    given = {"stage": "", "base.stage": "new"}
    seen = await owner.post_part(f"/leads/{lead_id}/moves?layout=board", "leads-list", given)

    assert columns(seen)[""] == ["Ada"]
    assert "moved to No stage" in seen.text
    assert seen.html.css("#leads-dialog[hx-swap-oob]")
    assert (await stored(house, lead_id)).stage is None


async def test_a_move_of_a_lead_that_someone_else_moved_asks_which_stage_stays(owner: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")
    await set_stage(house, lead_id, "customer")

    seen = await move(owner, lead_id, "working")

    assert seen.status == 409
    assert "This lead was updated" in seen.text
    assert seen.all("#conflict td") == ["Stage", "Working", "Customer"]
    assert (await stored(house, lead_id)).stage == "customer"
    action = seen.attribute("#conflict-form", "action") or ""
    given = {
        node.attributes["name"] or "": node.attributes["value"] or ""
        for node in seen.html.css("#conflict-form input")
        if node.attributes["name"] != "csrf"
    }
    assert given == {"stage": "working", "base.stage": "customer"}
    assert "moved to Working" in (await owner.post(action, given)).text
    assert (await stored(house, lead_id)).stage == "working"


async def test_refused_moves_say_why(owner: Browser, viewer: Browser, house: House) -> None:
    lead_id = await house.lead("ada@acme.com")

    unknown = await move(owner, lead_id, "no-such-stage")
    same = await move(owner, lead_id, "new")
    await viewer.get(BOARD)
    forbidden = await viewer.post(f"/leads/{lead_id}/moves", {"stage": "working", "base.stage": "new"})

    assert unknown.status == 400
    assert "stage" in unknown.all(".toast")[0].lower()
    assert "No changes needed." in same.text
    assert forbidden.status == 403
    assert (await viewer.get(BOARD)).html.css("[data-card], [data-takes], .board__move") == []
    assert (await stored(house, lead_id)).stage == "new"


async def test_columns_show_more_until_the_table_has_the_rest(
    owner: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(CARDS + 3):
        await house.lead(f"lead{n:03}@acme.com")

    first = await owner.get(f"{BOARD}&sort=email")
    more = first.attribute(".board__more", "href") or ""
    second = await owner.get(more)
    monkeypatch.setattr("leadflood.web.pages.lead_cards.MAX_CARDS", CARDS)
    last = await owner.get(more)

    assert len(columns(first)["new"]) == CARDS
    assert len(columns(second)["new"]) == CARDS + 3
    assert second.html.css(".board__more") == []
    assert last.attribute(".board__more", "href") == "/leads?sort=email&stage=new"
    assert MAX_CARDS > CARDS


async def test_a_saved_view_keeps_its_layout_and_the_switch_changes_it(owner: Browser, house: House) -> None:
    await house.lead("ada@acme.com")

    await owner.get(BOARD)
    saved = await owner.post("/leads/views", {"name": "Pipeline", "query": "layout=board&sort=name"})

    assert query_of(saved)["layout"] == ["board"]
    assert saved.html.css("[data-board]")
    links = {
        node.attributes["aria-label"]: node.attributes["href"] or ""
        for node in saved.html.css("nav[aria-label=Layout] a")
    }
    table = await owner.get(links["Table"])
    assert table.html.css("[data-board]") == []
    assert "Save view" in table.all(".toolbar button")


async def test_boards_without_leads_say_what_to_do(owner: Browser, house: House) -> None:
    assert "No leads yet" in (await owner.get(BOARD)).text
    await house.lead("ada@acme.com")
    assert "No leads found" in (await owner.get(f"{BOARD}&q=nobody")).text


async def test_neither_leads_nor_stages_add_statements(owner: Browser, house: House) -> None:
    await house.lead("first@acme.com")
    await owner.get(BOARD)
    with counted(house.parts.database.pool) as few:
        await owner.get(BOARD)
    for n in range(30):
        await house.lead(f"lead{n}@acme.com", stage=["new", "working", "customer"][n % 3])
    for n in range(20):
        async with house.parts.database.transaction(house.workspace_id) as tx:
            await stages.create_stage(tx, house.actor, command=CreateStage(name=f"Further {n}"))
    with counted(house.parts.database.pool) as many:
        await owner.get(BOARD)

    assert len(many) == len(few) <= 25
