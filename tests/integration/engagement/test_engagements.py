"""Engagements of leads: recorded once, by form, API and file; merges, erasure and rights."""

from collections.abc import Sequence
from typing import Any

import pytest

from leadflood.domains.engagement.contracts import ImportedEngagements
from leadflood.domains.engagement.models import EngagementSource
from leadflood.domains.engagement.permissions import ENGAGEMENT_READ
from leadflood.domains.engagement.service import entries_of, import_engagements
from leadflood.kernel.actor import Role
from leadflood.kernel.errors import InvalidInput
from tests.integration.icps.desk import Desk
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts, viewer
from tests.support.api import new_caller
from tests.support.web import Browser

__all__ = ["house", "new_house", "pages_app", "pages_parts", "site_parts", "viewer"]

REPLIED = {"kind": "Email replied", "at": "2026-03-01"}


async def kinds(desk: Desk, lead_id: str) -> list[str]:
    return [each["kind"] for each in (await desk.ask("GET", f"/v1/leads/{lead_id}/engagements"))["items"]]


async def test_an_engagement_is_recorded_once_read_and_deleted(desk: Desk) -> None:
    lead_id = await desk.lead()
    path = f"/v1/leads/{lead_id}/engagements"

    first = await desk.ask("POST", path, status=201, **REPLIED)
    again = await desk.ask("POST", path, status=201, **REPLIED)
    now = await desk.ask("POST", path, status=201, kind="fair_visited", points=-7, note=" At  our stand ")

    assert (first["id"], first["kind"], first["points"]) == (again["id"], "email_replied", 30)
    assert (first["at"], first["source"]) == ("2026-03-01T00:00:00Z", "api")
    assert (now["points"], now["decayedPoints"]) == (-7, -7.0)
    assert await kinds(desk, lead_id) == ["fair_visited", "email_replied"]
    assert (await desk.ask("GET", f"/v1/engagements/{now['id']}"))["id"] == now["id"]
    await desk.ask("DELETE", f"/v1/engagements/{now['id']}", status=204)
    assert (await desk.ask("DELETE", f"/v1/engagements/{now['id']}", status=404))["code"] == "engagement_not_found"
    assert await kinds(desk, lead_id) == ["email_replied"]
    log = (await desk.ask("GET", "/v1/audit-events"))["items"]
    actions = ["engagement.deleted", "engagement.recorded", "engagement.recorded"]
    assert [each["action"] for each in log[:3]] == actions


async def test_a_key_is_recorded_once_in_the_workspace(desk: Desk) -> None:
    lead_id, other = await desk.lead(), await desk.lead()
    given = {"kind": "page_visited", "externalKey": "visit 1"}

    first = await desk.ask("POST", f"/v1/leads/{lead_id}/engagements", status=201, **given)
    again = await desk.ask("POST", f"/v1/leads/{lead_id}/engagements", status=201, **given, points=9)
    refused = await desk.ask("POST", f"/v1/leads/{other}/engagements", status=409, **given)

    assert (again["id"], again["points"]) == (first["id"], 2)
    assert (refused["code"], refused["existingId"]) == ("duplicate_external_key", first["id"])
    assert (refused["errors"][0]["pointer"], await kinds(desk, other)) == ("/externalKey", [])


async def test_the_list_has_pages(desk: Desk) -> None:
    lead_id = await desk.lead()
    path = f"/v1/leads/{lead_id}/engagements"
    for day in (1, 3, 2):
        await desk.ask("POST", path, status=201, kind="page_visited", at=f"2026-03-0{day}")

    first = await desk.ask("GET", f"{path}?limit=2")
    rest = await desk.ask("GET", f"{path}?limit=2&cursor={first['nextCursor']}")

    days = [each["at"][8:10] for each in (*first["items"], *rest["items"])]
    assert (days, rest["nextCursor"]) == (["03", "02", "01"], None)


@pytest.mark.parametrize(
    ("given", "pointer", "words"),
    [
        ({"kind": "a/b"}, "/kind", "letters a to z"),
        ({"kind": "sneezed"}, "/points", "Provide points from -100 to 100"),
        ({"kind": "page_visited", "points": 101}, "/points", "at most 100"),
        ({"kind": "page_visited", "at": "2999-01-01"}, "/at", "between 1990 and now"),
        ({"kind": "page_visited", "at": "2026-03-01T10:00:00"}, "/at", "time zone"),
        ({"kind": "page_visited", "note": "x" * 501}, "/note", "500"),
    ],
)
async def test_an_invalid_engagement_names_the_field_and_the_remedy(
    desk: Desk, given: dict[str, Any], pointer: str, words: str
) -> None:
    refused = await desk.ask("POST", f"/v1/leads/{await desk.lead()}/engagements", status=400, **given)

    assert refused["errors"][0]["pointer"] == pointer
    assert words in refused["errors"][0]["message"]


async def test_the_same_file_twice_changes_nothing_and_failed_rows_have_line_and_reason(desk: Desk) -> None:
    lead_id = await desk.lead()
    email = (await desk.ask("GET", f"/v1/leads/{lead_id}"))["email"]
    file = [
        "\ufeffE-Mail;Kind;Date;Points;Key\n",
        f"{email.upper()};Email replied;2026-03-01;;\n",
        "nobody@acme.test;page_visited;2026-03-01;1;\n",
        "\n",
        f"{email};sneezed;2026-03-01;;\n",
        f"{email};sneezed;2026-03-01;-3;k1\n",
        f"{email};sneezed;2026-03-02;5;k1\n",
        f"{email};page_visited;2026-03-02;many;\n",
        f"{email};page_visited\n",
    ]

    first, lines = await imported(desk, file)
    second, _ = await imported(desk, file)

    assert [each.status for each in first.results] == [
        *("created", "failed", "failed", "created", "unchanged", "failed", "failed")
    ]
    reasons = {line: each.reason or "" for line, each in zip(lines, first.results, strict=True) if each.reason}
    assert list(reasons) == [3, 5, 8, 9]
    assert "No lead has this email" in reasons[3]
    assert "has no points" in reasons[5]
    assert reasons[8] == "points: Must be a whole number."
    assert reasons[9].startswith("at: ")
    assert (second.created, second.unchanged, second.failed) == (0, 3, 4)
    assert await kinds(desk, lead_id) == ["sneezed", "email_replied"]
    entry = {"email": email, "kind": "email_replied", "at": "2026-03-01"}
    assert (await desk.ask("POST", "/v1/engagements", engagements=[entry]))["unchanged"] == 1


async def imported(desk: Desk, lines: Sequence[str]) -> tuple[ImportedEngagements, list[int]]:
    async with desk.database.transaction(desk.caller.workspace_id) as tx:
        rows = list(entries_of(iter(lines)))
        entries = [entry for _, entry in rows]
        made = await import_engagements(tx, desk.actor, entries=entries, source=EngagementSource.IMPORT)
    return made, [line for line, _ in rows]


def test_a_file_without_the_columns_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        list(entries_of(iter(["email,points\n", "ada@acme.test,5\n"])))

    assert [fault.pointer for fault in refused.value.errors] == ["/kind", "/at"]


async def test_who_may_only_read_records_nothing(desk: Desk) -> None:
    lead_id = await desk.lead()
    reader = await new_caller(desk.database, [ENGAGEMENT_READ], workspace_id=desk.caller.workspace_id)

    refused = await desk.toys.post(f"/v1/leads/{lead_id}/engagements", json=REPLIED, headers=reader.headers)

    assert (refused.status_code, await kinds(desk, lead_id)) == (403, [])


async def test_the_lead_page_has_a_form_and_shows_what_is_left_of_the_points(house: House, viewer: Browser) -> None:
    lead_id, member = await house.lead("ada@acme.test"), await house.signed_in(Role.MEMBER)
    assert "No engagement yet" in (await member.get(f"/leads/{lead_id}")).all("#panel-engagement")[0]
    path = f"/leads/{lead_id}/engagements"

    refused = await member.post(path, {"kind": "sneezed"})
    shown = await member.post(path, {"kind": "sneezed", "points": "-7", "at": "2026-03-01"})

    assert (refused.status, "has no points" in refused.all("#panel-engagement")[0]) == (400, True)
    assert "-7" in shown.all("#panel-engagement")[0]
    assert "now -0." in shown.all("#panel-engagement")[0]
    assert not (await viewer.get(f"/leads/{lead_id}")).all("#panel-engagement form")
    undone = await member.post(str(shown.attribute("#panel-engagement form[action$=deletion]", "action")), {})
    assert "No engagement yet" in undone.all("#panel-engagement")[0]
