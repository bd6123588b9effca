"""Profiles over HTTP: drafts, publishing and rolling back, scores with their arithmetic, previews, and refusals."""

import httpx
import pytest

from leadflood.domains.icps.permissions import ICPS_READ, ICPS_WRITE
from leadflood.kernel.actor import PERMISSIONS, Permission, Role
from leadflood.kernel.db.database import Database
from tests.integration.icps.desk import BIG, GERMAN, Desk, body_of, criterion
from tests.support.api import Caller, new_caller


async def test_a_published_version_scores_all_leads_and_its_points_add_up(desk: Desk) -> None:
    german, french = await desk.lead(country="DE"), await desk.lead(country="FR")
    made = await desk.profile()
    assert (made["draft"]["number"], made["live"], made["main"]) == (1, None, False)

    await desk.publish(made["id"], 1)

    assert await desk.scores(made["id"]) == {german: (20, "B"), french: (0, "C")}
    icp = await desk.ask("GET", f"/v1/icps/{made['id']}")
    assert (icp["live"]["number"], icp["draft"], icp["main"], icp["live"]["scored"]) == (1, None, True, 2)
    found = await desk.ask("GET", f"/v1/leads/{german}/score")
    points = [each["points"] for group in found["groups"] for each in group["criteria"]]
    assert (found["score"], sum(points), found["lo"], found["hi"]) == (20, 20, 20, 50)
    assert (found["tier"], found["best"], found["known"], found["total"]) == ("B", "A", 1, 2)
    assert found["groups"][0]["criteria"][0]["facts"] == [{"field": "lead.country", "label": "Country", "value": "DE"}]
    improved = await desk.ask("GET", f"/v1/leads/{german}/score-improvements?profile=fit")
    assert improved == {"tier": "A", "items": [{"score": 50, "toFindOut": ["Big"], "toChange": []}]}
    (listed,) = (await desk.ask("GET", f"/v1/leads/{german}/scores"))["items"]
    assert (listed["name"], listed["tier"], listed["main"]) == ("Fit", "B", True)


async def test_a_draft_changes_nothing_until_it_is_published_and_a_former_version_can_be_published_again(
    desk: Desk,
) -> None:
    german = await desk.lead(country="DE")
    icp_id = (await desk.profile())["id"]
    await desk.publish(icp_id, 1)
    version = (await desk.ask("GET", f"/v1/icps/{icp_id}"))["version"]
    body = body_of({**GERMAN, "points": 45}, BIG)
    await desk.ask("PUT", f"/v1/icps/{icp_id}/draft", match=f'"{version}"', body=body)

    preview = await desk.ask("GET", f"/v1/icps/{icp_id}/preview")
    assert preview["movements"] == [{"before": "B", "after": "A", "leads": 1}]
    assert {each["tier"]: each["leads"] for each in preview["tiers"]} == {"A": 1, "B": 0, "C": 0, None: 0}
    assert preview["histogram"] == [{"at": 40, "tier": "A", "leads": 1}]
    assert await desk.scores(icp_id) == {german: (20, "B")}
    await desk.publish(icp_id, 2)
    assert await desk.scores(icp_id) == {german: (45, "A")}
    await desk.ask("PATCH", f"/v1/leads/{german}", match='"1"', country="FR")
    await desk.publish(icp_id, 1)
    assert await desk.scores(icp_id) == {german: (0, "C")}
    states = [
        (each["number"], each["state"]) for each in (await desk.ask("GET", f"/v1/icps/{icp_id}/versions"))["items"]
    ]
    assert states == [(2, "superseded"), (1, "live")]


async def test_leads_are_listed_by_tier_the_highest_scores_first(desk: Desk) -> None:
    three = [await desk.lead(country=country, jobTitle="Owner") for country in ("FR", "DE", "DE")]
    title = criterion("title", {"field": "lead.jobTitle", "is": "owner"}, 25)
    icp_id = (await desk.profile(GERMAN, title))["id"]
    await desk.publish(icp_id, 1)

    listed = await desk.ask("GET", f"/v1/icps/{icp_id}/scores?tier=A&limit=1")
    rest = await desk.ask("GET", f"/v1/icps/{icp_id}/scores?tier=A&limit=1&cursor={listed['nextCursor']}")
    assert [each["leadId"] for each in (*listed["items"], *rest["items"])] == sorted(three[1:])
    assert [each["score"] for each in (await desk.ask("GET", f"/v1/icps/{icp_id}/scores?tier=B"))["items"]] == [25]
    refused = await desk.ask("GET", f"/v1/icps/{icp_id}/scores?tier=X", status=400)
    assert refused["errors"][0]["message"] == "Provide one of: A, B, C."


async def test_what_does_not_fit_is_refused_with_the_field_and_the_remedy(desk: Desk) -> None:
    unknown = body_of(criterion("budget", {"field": "lead.customFields.budget", "atLeast": 5}, 5))
    refused = await desk.ask("POST", "/v1/icps", status=400, name="Fit", body=unknown)
    assert refused["errors"][0]["pointer"] == "/body/groups/0/criteria/0/test/field"
    await desk.ask("POST", "/v1/custom-fields", status=201, subject="lead", label="Budget", type="number")
    made = await desk.ask("POST", "/v1/icps", status=201, name="Fit", body=unknown)

    assert (await desk.ask("POST", "/v1/icps", status=409, name="FIT", body=unknown))["existingId"] == made["id"]
    conflict = await desk.ask("PUT", f"/v1/icps/{made['id']}/draft", status=412, match='"9"', body=unknown)
    assert conflict["currentVersion"] == made["version"]
    assert (await desk.ask("GET", f"/v1/leads/{await desk.lead()}/score?profile=fit", status=404))["code"] == (
        "icp_not_live"
    )
    await desk.publish(made["id"], 1)
    again = await desk.ask("POST", f"/v1/icps/{made['id']}/publications", status=409, number=1)
    assert again["code"] == "icp_already_live"
    missing = await desk.ask("POST", f"/v1/icps/{made['id']}/publications", status=404, number=7)
    assert missing["code"] == "icp_version_not_found"


async def test_a_deleted_profile_shows_no_scores_and_frees_its_name(desk: Desk) -> None:
    await desk.lead(country="DE")
    icp_id = (await desk.profile())["id"]
    await desk.publish(icp_id, 1)

    await desk.ask("DELETE", f"/v1/icps/{icp_id}", status=204)

    assert await desk.scores(icp_id) == {}
    assert (await desk.ask("GET", "/v1/icps"))["items"] == []
    assert (await desk.profile())["name"] == "Fit"


async def test_one_profile_is_the_main_one(desk: Desk) -> None:
    first, second = (await desk.profile())["id"], (await desk.profile(name="Partners"))["id"]
    await desk.publish(first, 1)
    await desk.publish(second, 1)
    version = (await desk.ask("GET", f"/v1/icps/{second}"))["version"]

    await desk.ask("PATCH", f"/v1/icps/{second}", match=f'"{version}"', main=True, name="Resellers")

    listed = (await desk.ask("GET", "/v1/icps"))["items"]
    assert [(each["name"], each["main"]) for each in listed] == [("Resellers", True), ("Fit", False)]


@pytest.mark.parametrize(
    ("permissions", "method", "path", "required"),
    [
        ([ICPS_READ], "POST", "/v1/icps", "icps:write"),
        ([ICPS_READ, ICPS_WRITE], "POST", "/v1/icps/{id}/publications", "icps:publish"),
        ([ICPS_READ, ICPS_WRITE], "DELETE", "/v1/icps/{id}", "icps:publish"),
    ],
)
async def test_permissions_are_of_their_own(
    toys: httpx.AsyncClient,
    desk: Desk,
    database: Database,
    permissions: list[Permission],
    method: str,
    path: str,
    required: str,
) -> None:
    icp_id = (await desk.profile())["id"]
    other: Caller = await new_caller(database, permissions, workspace_id=desk.caller.workspace_id)

    answer = await toys.request(method, path.format(id=icp_id), headers=other.headers)

    assert (answer.status_code, answer.json()["requiredPermission"]) == (403, required)
    assert ICPS_READ in PERMISSIONS[Role.VIEWER]
    assert ICPS_WRITE not in PERMISSIONS[Role.VIEWER]
