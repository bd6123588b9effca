"""Pages of rules."""

from leadflood.domains.rules import queries
from leadflood.domains.rules.contracts import RuleView
from leadflood.domains.rules.service import running
from tests.integration.icps.desk import GERMAN, body_of, publish_profile
from tests.integration.web.conftest import House
from tests.support.web import Browser, Seen


async def only_rule(house: House) -> RuleView:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        (found,) = await queries.list_rules(tx, house.actor)
    return found


def checked(page: Seen) -> list[str | None]:
    return [node.attributes["name"] for node in page.html.css("main input[type=checkbox][checked]")]


async def test_without_rules_the_page_explains_them(house: House, owner: Browser, viewer: Browser) -> None:
    assert "It needs a profile." in (await owner.get("/rules")).text
    await publish_profile(house.parts.database, house.actor, body_of(GERMAN))

    assert (await owner.get("/rules")).all("a[href='/rules/new']")
    assert "Ask an administrator" in (await viewer.get("/rules")).text


async def test_a_rule_is_created_by_its_form_shown_changed_and_deleted(house: House, owner: Browser) -> None:
    icp_id = await publish_profile(house.parts.database, house.actor, body_of(GERMAN))
    await house.lead("ada@acme.test")
    assert checked(await owner.get("/rules/new")) == ["enabled"]
    given = {"name": "Cold", "trigger": "enters", "place": f"{icp_id} C", "includePresent": "on", "enabled": "on"}
    nothing = await owner.post("/rules", given)
    wrong = await owner.post("/rules", {**given, "lists": "Nowhere"})
    await owner.post("/rules", {**given, "tags": "Cold, Later"})
    rule = await only_rule(house)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await running.compare_tiers(tx, house.actor, icp_id=icp_id)
        await running.run_marked(tx, house.actor)

    assert (nothing.status, "Choose at least one action" in nothing.text) == (400, True)
    assert (wrong.status, "No such list" in wrong.text) == (400, True)
    assert [each.name for each in rule.actions] == ["Cold", "Later"]
    page = await owner.get(f"/rules/{rule.id}")
    assert "A lead enters tier C of Fit." in page.text
    assert "ada@acme.test" in page.text
    assert (await only_rule(house)).runs == 1
    assert checked(await owner.get(f"/rules/{rule.id}/edit")) == ["includePresent", "enabled"]
    await owner.post(f"/rules/{rule.id}", {**given, "version": str(rule.version), "name": "Frozen", "tags": "Cold"})
    assert ((await only_rule(house)).name, len((await only_rule(house)).actions)) == ("Frozen", 1)
    version = str((await only_rule(house)).version)
    await owner.post(f"/rules/{rule.id}/state", {"version": version, "enabled": "no"})
    assert (await only_rule(house)).enabled is False
    await owner.post(f"/rules/{rule.id}/deletion")
    assert "No rules" in (await owner.get("/rules")).text
