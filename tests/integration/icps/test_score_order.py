"""Lists of leads in the order of their scores: API, pages, board, neighbors and saved views."""

from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.icps.service import rescoring
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries import ranked
from leadflood.domains.leads.queries.neighbors import Neighbors, neighbors
from leadflood.kernel.actor import Role
from tests.integration.icps.desk import BIG, GERMAN, Desk, body_of, criterion, publish_profile
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]

SWISS = criterion("swiss", {"field": "lead.country", "in": ["CH"]}, 40)
NO_AGENCIES = {
    "key": "agency",
    "test": {"field": "lead.source", "in": ["agency"]},
    "effect": "exclude",
    "reason": "An agency",
}


async def pages(desk: Desk, sort: str, limit: int = 2, **query: Any) -> list[str]:  # noqa: ANN401  parameters
    """The IDs of all pages."""
    found: list[str] = []
    params: dict[str, Any] = {"sort": sort, "limit": limit, **query}
    while True:
        answer = await desk.toys.get("/v1/leads", params=params, headers=desk.caller.headers)
        assert answer.status_code == 200, answer.text
        found += [lead["id"] for lead in answer.json()["items"]]
        if answer.json()["nextCursor"] is None:
            return found
        params["cursor"] = answer.json()["nextCursor"]


async def ranking(desk: Desk) -> list[list[str]]:
    """Leads by their score, the highest first; the last ones have none, or are excluded."""
    swiss = [await desk.lead(country="CH") for _ in range(2)]
    german = [await desk.lead(country="DE") for _ in range(3)]
    others = [await desk.lead(country="FR") for _ in range(2)]
    excluded = await desk.lead(country="CH", source="agency")
    profile = await desk.profile(GERMAN, SWISS, gates=[NO_AGENCIES])
    await desk.publish(profile["id"], 1)
    return [sorted(swiss), sorted(german), sorted(others), [excluded]]


@pytest.mark.parametrize("few", [0, ranked.FEW])
@pytest.mark.parametrize("q", ["", "acme"])
async def test_leads_are_listed_by_score_and_those_without_come_last_in_both_directions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, few: int, q: str
) -> None:
    monkeypatch.setattr("leadflood.domains.leads.queries.search.FEW", few)
    swiss, german, others, without = await ranking(desk)
    query: dict[str, Any] = {"q": q} if q else {}

    assert await pages(desk, "-score", **query) == [*swiss[::-1], *german[::-1], *others[::-1], *without]
    assert await pages(desk, "score", **query) == [*others, *german, *swiss, *without]
    narrow = {**query, "country": ["CH", "FR"]}
    assert await pages(desk, "-score", 1, **narrow) == [*swiss[::-1], *others[::-1], *without]


async def test_a_cursor_stays_where_it_is_while_scores_change(desk: Desk) -> None:
    swiss, german, others, without = await ranking(desk)
    params: dict[str, Any] = {"sort": "-score", "limit": 3}
    first = (await desk.toys.get("/v1/leads", params=params, headers=desk.caller.headers)).json()
    assert [lead["id"] for lead in first["items"]] == [*swiss[::-1], german[-1]]

    await desk.ask("PATCH", f"/v1/leads/{german[-1]}", match='"1"', country="FR")
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        await rescoring.rescore_pending(tx, desk.actor)
    params["cursor"] = first["nextCursor"]
    second = (await desk.toys.get("/v1/leads", params=params, headers=desk.caller.headers)).json()

    assert [lead["id"] for lead in second["items"]] == [german[1], german[0], max([*others, german[-1]])]
    assert without[0] not in [lead["id"] for lead in second["items"]]


async def test_without_a_main_profile_no_lead_has_a_score(desk: Desk) -> None:
    leads = sorted([await desk.lead(), await desk.lead(), await desk.lead()])

    assert await pages(desk, "score") == leads
    assert await pages(desk, "-score") == leads[::-1]


async def test_the_order_is_that_of_the_live_version_of_the_main_profile(desk: Desk) -> None:
    german, swiss = await desk.lead(country="DE"), await desk.lead(country="CH")
    await desk.publish((await desk.profile(GERMAN))["id"], 1)
    other = await desk.profile(SWISS, name="Other")
    await desk.publish(other["id"], 1)
    assert await pages(desk, "-score") == [german, swiss]

    version = (await desk.ask("GET", f"/v1/icps/{other['id']}"))["version"]
    await desk.ask("PATCH", f"/v1/icps/{other['id']}", match=f'"{version}"', main=True)

    assert await pages(desk, "-score") == [swiss, german]


@pytest.mark.parametrize("sort", [LeadSort.SCORE, LeadSort.SCORE_REVERSED])
@pytest.mark.parametrize("filters", [LeadFilter(), LeadFilter(q="acme")])
async def test_a_lead_stands_between_the_leads_of_its_list(desk: Desk, sort: LeadSort, filters: LeadFilter) -> None:
    await ranking(desk)
    order = [UUID(each) for each in await pages(desk, sort.value)]

    async with desk.database.transaction(desk.caller.workspace_id, read_only=True) as tx:
        found = [await neighbors(tx, desk.actor, lead_id=each, filters=filters, sort=sort) for each in order]

    pairs = zip([None, *order], [*order[1:], None], strict=False)
    assert found == [Neighbors(before, after) for before, after in pairs]


async def test_a_view_keeps_the_order(desk: Desk) -> None:
    made = await desk.ask("POST", "/v1/views", status=201, name="Best", sort="-score")

    assert (await desk.ask("GET", f"/v1/views/{made['id']}"))["sort"] == "-score"


async def test_the_column_sorts_the_list_and_the_board(house: House, viewer: Browser) -> None:
    german, french = "ada@acme.test", "grace@acme.test"
    await house.lead(german, country="DE")
    await house.lead(french, country="FR")
    await publish_profile(house.parts.database, house.actor, body_of(GERMAN, BIG))
    admin = await house.signed_in(Role.ADMIN)

    shown = await admin.get("/leads?column=name&column=fit")
    assert "sort=-score" in str(shown.attribute("#head-fit", "href"))
    for layout in ("", "&layout=board"):
        best = (await viewer.get(f"/leads?column=name&column=fit&sort=-score{layout}")).text
        worst = (await viewer.get(f"/leads?column=name&column=fit&sort=score{layout}")).text
        assert best.index(german) < best.index(french)
        assert worst.index(french) < worst.index(german)
        assert "Score: highest first" in best
