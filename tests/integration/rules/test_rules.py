"""Rules are created, changed, previewed and deleted, and refuse what the workspace does not have."""

from typing import Any

import httpx
import pytest

from leadflood.domains.rules.models import MAX_RULES
from leadflood.domains.rules.permissions import RULES_READ, RULES_WRITE
from leadflood.kernel.actor import PERMISSIONS, SCOPES, Role
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.integration.rules.rule_desk import RuleDesk
from tests.support.api import new_caller


async def refused(desk: RuleDesk, icp_id: str, status: int = 400, **changed: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    actions = [{"type": "addTag", "target": "Hot"}]
    body = {"name": "Hot leads", "icpId": icp_id, "trigger": "enters", "tier": "A", "actions": actions, **changed}
    answer: dict[str, Any] = await desk.ask("POST", "/v1/rules", status=status, **body)
    return answer


async def test_a_rule_is_created_read_changed_listed_and_deleted(desk: RuleDesk) -> None:
    icp_id = await desk.published()
    made = await desk.rule(icp_id, ("setStage", "Qualified"), ("assignOwner", str(desk.caller.user_id)), enabled=False)
    assert (made["profile"], made["enabled"], made["version"], made["runs"]) == ("Main", False, 1, 0)
    assert [(each["type"], each["target"]) for each in made["actions"]] == [
        ("setStage", "qualified"),
        ("assignOwner", str(desk.caller.user_id)),
    ]

    path = f"/v1/rules/{made['id']}"
    changed = await desk.ask("PATCH", path, match='"1"', name="Warm leads", tier="B", enabled=True)
    assert (changed["name"], changed["tier"], changed["enabled"], changed["version"]) == ("Warm leads", "B", True, 2)
    assert (await desk.ask("PATCH", path, match='"1"', name="Old", status=412))["code"] == "rule_version_conflict"
    assert (await desk.ask("GET", "/v1/rules"))["items"] == [changed]
    await desk.ask("DELETE", path, status=204)

    assert (await desk.ask("GET", path, status=404))["code"] == "rule_not_found"
    audit = [each["action"] for each in (await desk.ask("GET", "/v1/audit-events"))["items"]]
    assert [each for each in audit if each.startswith("rule.")] == ["rule.deleted", "rule.enabled", "rule.created"]


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"tier": "Z"}, "/tier", "unknown_tier"),
        ({"trigger": "stays"}, "/trigger", "not_allowed"),
        ({"actions": []}, "/actions", "too_short"),
        ({"actions": [{"type": "addToList", "target": "None"}]}, "/actions/0/target", "unknown_target"),
        ({"actions": [{"type": "addTag", "target": str(new_id())}]}, "/actions/0/target", "unknown_target"),
        ({"actions": [{"type": "assignOwner", "target": "eve@other.test"}]}, "/actions/0/target", "unknown_target"),
        ({"actions": [{"type": "setStage", "target": "Nowhere"}]}, "/actions/0/target", "unknown_target"),
    ],
)
async def test_what_the_workspace_does_not_have_is_refused(
    desk: RuleDesk, changed: dict[str, Any], pointer: str, code: str
) -> None:
    (fault,) = (await refused(desk, await desk.published(), **changed))["errors"]

    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert fault["message"]


async def test_targets_of_another_workspace_are_unknown(
    desk: RuleDesk, toys: httpx.AsyncClient, database: Database
) -> None:
    other = RuleDesk(toys, await new_caller(database, list(SCOPES)), database)
    icp_id = await desk.published()
    others = {
        "addToList": (await other.ask("POST", "/v1/lists", status=201, name="Calls"))["id"],
        "addTag": (await other.ask("POST", "/v1/tags", status=201, name="Hot"))["id"],
        "assignOwner": str(other.caller.user_id),
    }

    for type_, target in others.items():
        answer = await refused(desk, icp_id, actions=[{"type": type_, "target": target}])
        assert answer["code"] == "unknown_target"
    assert (await refused(desk, await other.published()))["errors"][0]["pointer"] == "/icpId"


async def test_one_owner_and_a_name_of_its_own(desk: RuleDesk) -> None:
    icp_id = await desk.published()
    made = await desk.rule(icp_id)
    twice = [{"type": "assignOwner", "target": str(desk.caller.user_id)}] * 2

    assert (await refused(desk, icp_id, name="Other", actions=twice))["code"] == "invalid_input"
    duplicate = await refused(desk, icp_id, status=409, name="HOT LEADS")
    assert (duplicate["code"], duplicate["existingId"]) == ("duplicate_rule", made["id"])


async def test_the_number_of_rules_is_limited(desk: RuleDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_RULES >= 50
    monkeypatch.setattr("leadflood.domains.rules.service.MAX_RULES", 1)
    icp_id = await desk.published()
    await desk.rule(icp_id)

    assert (await refused(desk, icp_id, status=409, name="Other"))["code"] == "too_many_rules"


async def test_an_action_needs_the_permission_of_doing_it(desk: RuleDesk, database: Database) -> None:
    icp_id = await desk.published()
    author = await new_caller(database, [RULES_WRITE, RULES_READ], workspace_id=desk.caller.workspace_id)
    weak = RuleDesk(desk.toys, author, database)

    assert (await refused(weak, icp_id, status=403))["requiredPermission"] == "tags:write"
    assert RULES_WRITE in PERMISSIONS[Role.ADMIN]
    assert RULES_WRITE not in PERMISSIONS[Role.MEMBER]


async def test_a_dry_run_counts_and_names_leads_and_writes_nothing(desk: RuleDesk) -> None:
    icp_id = await desk.published()
    new, tagged, _ = [await desk.lead(country=country) for country in ("DE", "DE", "FR")]
    await desk.ask("POST", f"/v1/leads/{tagged}/tags", status=201, names=["Hot"])
    rule = await desk.rule(icp_id)
    before = await desk.timeline(new)

    seen = await desk.ask("GET", f"/v1/rules/{rule['id']}/dry-run")

    assert (seen["leads"], seen["changes"]) == (2, 1)
    assert [(each["leadId"], each["changes"]) for each in seen["examples"]] == [(new, True), (tagged, False)]
    assert await desk.timeline(new) == before
    assert await desk.runs(rule["id"]) == []


async def test_the_rules_of_a_deleted_profile_say_so_and_are_disabled(desk: RuleDesk) -> None:
    icp_id = await desk.published()
    rule = await desk.rule(icp_id)
    await desk.ask("DELETE", f"/v1/icps/{icp_id}", status=204)

    seen = await desk.ask("GET", f"/v1/rules/{rule['id']}")
    assert (seen["enabled"], seen["problem"]) == (
        False,
        "The profile was deleted. Choose another profile, or delete the rule.",
    )
    match = f'"{seen["version"]}"'
    again = await desk.ask("PATCH", f"/v1/rules/{rule['id']}", match=match, enabled=True, status=400)
    assert again["code"] == "unknown_profile"
