"""Tasks on leads: due dates in a time zone, lists, assignee, completion, deletion, merges, filter, page and panel."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.tasks.models import NEVER, TaskState, due_at, span_of
from leadflood.kernel.actor import Role
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import Caller, caller, gate, parts, toys
from tests.support.web import Browser

__all__ = ["caller", "gate", "house", "new_house", "pages_app", "pages_parts", "parts", "site_parts", "toys", "viewer"]

TODAY = datetime.now(UTC).date()


async def call(
    toys: httpx.AsyncClient, caller: Caller, method: str, path: str, body: object = None, version: int | None = None
) -> httpx.Response:
    headers = caller.headers if version is None else {**caller.headers, "If-Match": f'"{version}"'}
    return await toys.request(method, path, json=body, headers=headers)


async def new_lead(toys: httpx.AsyncClient, caller: Caller) -> str:
    answer = await call(toys, caller, "POST", "/v1/leads", {"email": f"{new_id().hex}@acme.test"})
    return str(answer.json()["leadId"])


async def task(toys: httpx.AsyncClient, caller: Caller, lead_id: str, title: str, days: int | None = None) -> Any:  # noqa: ANN401  JSON
    due = None if days is None else str(TODAY + timedelta(days=days))
    body = {"title": title, "dueOn": due, "timeZone": "UTC"}
    answer = await call(toys, caller, "POST", f"/v1/leads/{lead_id}/tasks", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def titles(toys: httpx.AsyncClient, caller: Caller, path: str) -> list[str]:
    answer = await call(toys, caller, "GET", path)
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["items"]]


def test_a_due_date_ends_in_the_time_zone_of_the_person() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    now = datetime(2026, 3, 4, 23, tzinfo=UTC)  # the fifth in Auckland

    assert due_at(date(2026, 3, 5), zone) == datetime(2026, 3, 5, 11, tzinfo=UTC)
    assert (due_at(None, zone), span_of(TaskState.TODAY, now, zone).until) == (NEVER, due_at(date(2026, 3, 5), zone))


async def test_tasks_are_listed_by_when_they_are_due(toys: httpx.AsyncClient, caller: Caller) -> None:
    lead_id = await new_lead(toys, caller)
    for title, days in (("someday", None), ("late", -1), ("tonight", 0), ("next week", 7)):
        await task(toys, caller, lead_id, title, days)
    done = await task(toys, caller, lead_id, "done", -2)
    await call(toys, caller, "PATCH", f"/v1/tasks/{done['id']}", {"done": True}, version=1)

    assert await titles(toys, caller, "/v1/tasks") == ["late", "tonight", "next week", "someday"]
    for state, wanted in (
        ("overdue", ["late"]), ("today", ["tonight"]), ("upcoming", ["next week"]), ("done", ["done"]),
    ):  # fmt: skip
        assert await titles(toys, caller, f"/v1/tasks?state={state}") == wanted
    assert (await titles(toys, caller, f"/v1/leads/{lead_id}/tasks"))[-1] == "done"
    page = (await call(toys, caller, "GET", "/v1/tasks?limit=3")).json()
    assert await titles(toys, caller, f"/v1/tasks?limit=3&cursor={page['nextCursor']}") == ["someday"]
    page = (await call(toys, caller, "GET", f"/v1/leads/{lead_id}/tasks?limit=4")).json()
    assert await titles(toys, caller, f"/v1/leads/{lead_id}/tasks?limit=4&cursor={page['nextCursor']}") == ["done"]


async def test_a_task_is_changed_completed_reopened_deleted_and_restored(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    lead_id = await new_lead(toys, caller)
    path = f"/v1/tasks/{(await task(toys, caller, lead_id, 'Call 🚀', -1))['id']}"

    moved = await call(toys, caller, "PATCH", path, {"title": "Call again", "dueOn": None}, version=1)
    completed = await call(toys, caller, "PATCH", path, {"done": True}, version=2)
    again = await call(toys, caller, "PATCH", path, {"done": True}, version=3)
    stale = await call(toys, caller, "PATCH", path, {"done": False}, version=1)
    reopened = await call(toys, caller, "PATCH", path, {"done": False}, version=3)
    deleted = await call(toys, caller, "DELETE", path)
    gone = await call(toys, caller, "GET", path)
    restored = await call(toys, caller, "POST", f"{path}/restorations")

    assert (moved.json()["title"], moved.json()["dueOn"], moved.json()["overdue"]) == ("Call again", None, False)
    assert (completed.json()["doneAt"] is None, again.json()["version"], stale.status_code) == (False, 3, 412)
    assert (reopened.json()["doneAt"], deleted.status_code, gone.status_code) == (None, 204, 404)
    assert (restored.status_code, await titles(toys, caller, "/v1/tasks")) == (200, ["Call again"])
    timeline = (await call(toys, caller, "GET", f"/v1/leads/{lead_id}/events")).json()["items"]
    assert [each["kind"] for each in timeline][:2] == ["lead.task_done", "lead.task_added"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"title": " "}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "a", "dueOn": "tomorrow"}, "/dueOn"),
        ({"title": "a", "dueOn": "0001-01-01"}, "/dueOn"),
        ({"title": "a", "timeZone": "Mars"}, "/timeZone"),
        ({"title": "a", "assigneeId": str(new_id())}, "/assigneeId"),
    ],
)
async def test_invalid_values_are_refused_by_name(
    toys: httpx.AsyncClient, caller: Caller, body: dict[str, str], pointer: str
) -> None:
    answer = await call(toys, caller, "POST", f"/v1/leads/{await new_lead(toys, caller)}/tasks", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_leads_are_found_by_overdue_tasks_and_a_merge_moves_tasks(
    toys: httpx.AsyncClient, caller: Caller
) -> None:
    survivor, other = await new_lead(toys, caller), await new_lead(toys, caller)
    await task(toys, caller, other, "late", -1)
    await task(toys, caller, survivor, "later", 1)
    tree = json.dumps({"all": [{"field": "overdueTask", "operator": "isNotEmpty"}]})

    found = await toys.get("/v1/leads", params={"filter": tree}, headers=caller.headers)
    assert [lead["id"] for lead in found.json()["items"]] == [other]
    merged = (await call(toys, caller, "POST", "/v1/merges", {"survivorId": survivor, "otherId": other})).json()
    assert await titles(toys, caller, f"/v1/leads/{survivor}/tasks") == ["late", "later"]
    await call(toys, caller, "POST", f"/v1/merges/{merged['id']}/undos")
    assert await titles(toys, caller, f"/v1/leads/{other}/tasks") == ["late"]
    assert "tasks" in [place.name for place in LEAD_PARTICIPANTS.places]


async def test_home_and_the_navigation_show_what_is_mine_and_due(house: House) -> None:
    lead_id, member, other = await house.lead("ada@acme.test"), *[await house.signed_in(Role.MEMBER) for _ in "12"]
    panel = await member.get(f"/leads/{lead_id}")
    me = str(panel.attribute("#tasks-f-assigneeId option[selected]", "value"))
    nothing = await member.get("/")
    for title, days, assignee in (("Late", -1, me), ("Today", 0, me), ("Tomorrow", 1, me), ("Not mine", -3, "")):
        given = {"title": title, "dueOn": str(TODAY + timedelta(days=days)), "assigneeId": assignee}
        await member.post(f"/leads/{lead_id}/tasks", given)

    mine, theirs = await member.get("/"), await other.get("/")
    path = str(mine.attribute("#home-tasks tr form", "action"))
    done = await member.post(path, {"next": "/"})

    assert "Nothing is due" in nothing.all("#home-tasks")[0]
    assert mine.all("#home-tasks .row-link") == ["Late", "Today"]
    assert mine.all("#nav-tasks-count") == ["1 overdue"]
    assert ("Nothing is due" in theirs.all("#home-tasks")[0], theirs.all("#nav-tasks-count")) == (True, [""])
    assert (done.path, done.all("#nav-tasks-count")) == ("/", [""])
    assert done.all("#home-tasks .row-link") == ["Today"]


async def test_the_panel_and_the_page_show_what_is_to_do(house: House, viewer: Browser) -> None:
    lead_id, member = await house.lead("ada@acme.test"), await house.signed_in(Role.MEMBER)
    await member.get(f"/leads/{lead_id}")
    me = (await member.get(f"/leads/{lead_id}")).attribute("#tasks-f-assigneeId option[selected]", "value")
    late = {"title": "Call Ada", "dueOn": str(TODAY - timedelta(days=2)), "assigneeId": str(me)}
    added = await member.post(f"/leads/{lead_id}/tasks", late)
    refused = await member.post(f"/leads/{lead_id}/tasks", {"title": "", "dueOn": ""})
    path = str(added.attribute("#panel-tasks .task__title a", "href"))
    mine, overdue = await member.get("/tasks"), await member.get("/tasks?state=overdue&who=everyone")
    today = await member.get("/tasks?state=today")
    await member.get(path)
    await member.post(path, {"title": "Call Ada today", "dueOn": str(TODAY), "assigneeId": "", "version": "1"})
    completed = await member.post(f"{path}/completions", {"next": "/tasks?who=everyone"})
    done = await viewer.get("/tasks?state=done&who=everyone")

    assert refused.status == 400
    assert mine.all("#tasks-list td[data-label=Task]") == ["Call Ada"]
    assert overdue.all("#tasks-list .tone-bad")
    assert "Nothing is due today" in today.text
    assert mine.all("nav a[href='/tasks'][aria-current=page]")
    assert completed.path == "/tasks"
    assert done.all("#tasks-list td[data-label=Task]") == ["Call Ada today"]
    assert not done.all("#tasks-list form")
