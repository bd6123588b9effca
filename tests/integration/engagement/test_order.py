"""Leads in the order of their engagement: pages, searches, neighbors, and leads without engagement last."""

import json
from uuid import UUID

import pytest

from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries.neighbors import neighbors
from tests.integration.engagement.test_levels import engage
from tests.integration.icps.desk import Desk


async def listed(desk: Desk, sort: str, limit: int, **more: str) -> list[str]:
    """The leads of all pages."""
    found: list[str] = []
    cursor = None
    while True:
        given = {"sort": sort, "limit": str(limit), **more, **({"cursor": cursor} if cursor else {})}
        answer = await desk.toys.get("/v1/leads", params=given, headers=desk.caller.headers)
        assert answer.status_code == 200, answer.text
        found += [lead["id"] for lead in answer.json()["items"]]
        cursor = answer.json()["nextCursor"]
        if cursor is None:
            return found


async def engaged_leads(desk: Desk) -> list[str]:
    """Six leads, the most engaged first; the last two without engagement, in the order of a descending list."""
    most, same, faded, left, *idle = [await desk.lead() for _ in range(6)]
    await engage(desk, most, 90)
    for lead_id in (same, same):
        await engage(desk, lead_id, 30)
    await engage(desk, faded, 100, 60)
    await engage(desk, left, -5)
    return [most, same, faded, left, *sorted(idle, reverse=True)]


@pytest.mark.parametrize("limit", [1, 2, 5, 50])
@pytest.mark.parametrize("more", [{}, {"q": "acme"}])
async def test_leads_are_listed_by_engagement_with_those_without_last(
    desk: Desk, limit: int, more: dict[str, str]
) -> None:
    leads = await engaged_leads(desk)

    assert await listed(desk, "-engagement", limit, **more) == leads
    assert await listed(desk, "engagement", limit, **more) == [*leads[3::-1], *leads[:3:-1]]


async def test_the_order_and_a_filter_by_level_go_together(desk: Desk) -> None:
    leads = await engaged_leads(desk)
    tree = json.dumps({"all": [{"field": "engagement", "operator": "isAnyOf", "value": ["1", "3"]}]})

    assert await listed(desk, "-engagement", 2, filter=tree) == [*leads[:2], *leads[3:]]


async def test_a_lead_has_neighbors_in_the_order_of_engagement(desk: Desk) -> None:
    await engaged_leads(desk)

    async with desk.database.transaction(desk.caller.workspace_id, read_only=True) as tx:
        for sort in (LeadSort.MOST_ENGAGED, LeadSort.ENGAGEMENT):
            order = await listed(desk, sort.value, 50)
            for place, lead_id in enumerate(order):
                found = await neighbors(tx, desk.actor, lead_id=UUID(lead_id), filters=LeadFilter(), sort=sort)
                before = order[place - 1] if place else None
                after = order[place + 1] if place + 1 < len(order) else None
                assert (str(found.previous or "") or None, str(found.next or "") or None) == (before, after)


async def test_the_cursor_of_another_order_is_refused(desk: Desk) -> None:
    await engaged_leads(desk)
    first = await desk.ask("GET", "/v1/leads?sort=-engagement&limit=1")

    refused = await desk.ask("GET", f"/v1/leads?sort=name&limit=1&cursor={first['nextCursor']}", status=400)

    assert refused["errors"][0]["code"] == "invalid_cursor"
