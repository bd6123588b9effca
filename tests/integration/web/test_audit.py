"""The audit log on its page: sentences, filters, pages of it."""

from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from typing import cast

import pytest

from leadflood.bootstrap import AUDIT, DOMAINS
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Role
from leadflood.kernel.ids import new_id
from leadflood.web.pages.audit_presenter import SENTENCES, AuditWords
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import new_visitor
from tests.support.web import Browser, Seen

PATH = "/settings/audit"


def told(seen: Seen) -> list[str]:
    return seen.all("#audit-list .timeline__title")


async def record(house: House, action: str, **data: str) -> None:
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await audit.record(tx, house.actor, action=action, subject_type="lead", subject_id=new_id(), data=data)


def test_every_action_has_a_sentence_a_group_and_an_icon() -> None:
    actions = [
        action
        for domain in DOMAINS
        for kind in vars(import_module(f"leadflood.domains.{domain.name}.events")).values()
        if isinstance(kind, type) and kind.__name__.endswith("AuditAction")
        for action in cast("type[StrEnum]", kind)
    ]
    words = AuditWords(AUDIT)

    assert [item for item in actions if item not in words.sentences] == []
    assert [item for item in SENTENCES if not item.startswith(tuple(words.groups))] == []
    assert [item for item in words.sentences if words.glyph(item) == "circle"] == []


async def test_what_happened_is_told_in_sentences_newest_first(house: House) -> None:
    admin, other = await new_visitor(house, Role.ADMIN), await new_visitor(house, Role.MEMBER)
    await admin.browser.get("/settings/members")
    await admin.browser.post(f"/settings/members/{other.id}/roles", {"role": "viewer"})
    await admin.browser.post("/settings/api-keys", {"name": "CRM <b>", "scopes": "leads:read", "days": ""})
    await admin.browser.post("/settings/workspace", {"name": "Northwind"})

    seen = await admin.browser.get(PATH)

    newest = told(seen)[:3]
    assert newest[0].endswith("renamed the workspace from “Test” to “Northwind”")
    assert newest[1].endswith("created the API key “CRM <b>”")
    assert "changed the role of" in newest[2]
    assert newest[2].endswith("from member to viewer")
    assert f"/settings/members#member-{other.id}" in seen.response.text
    assert '"action": "member.role_changed"' in seen.text
    assert "<b>CRM" not in seen.response.text
    assert "CRM <b>" not in seen.response.text


async def test_the_log_is_narrowed_by_kind_person_and_time(house: House) -> None:
    owner, other = await new_visitor(house, Role.OWNER), await new_visitor(house, Role.ADMIN)
    await owner.browser.get("/settings/workspace")
    await owner.browser.post("/settings/workspace", {"name": "Northwind"})

    kind = await owner.browser.get(f"{PATH}?kind=workspace.")
    assert len(told(kind)) == 1
    assert kind.attribute("#audit-kind [aria-current]", "href") == f"{PATH}?kind=workspace."
    assert kind.attribute(".chips .chip__remove", "href") == PATH
    both = kind.attribute(f"#audit-by a[href$='{other.id}']", "href") or ""
    assert told(await owner.browser.get(both)) == []
    by = await owner.browser.get(f"{PATH}?by={other.id}")
    assert [item.rpartition(" ")[0].rpartition(" ")[2] for item in told(by)] == ["signed"]
    past = await owner.browser.get(f"{PATH}?until=2020-01-01")
    assert told(past) == []
    assert "No matching events" in past.text
    assert "Clear filters" in past.text
    assert len(told(await owner.browser.get(f"{PATH}?since=2020-01-01"))) >= 3
    assert told(await owner.browser.get(f"{PATH}?since=2100-01-01")) == []


async def test_days_are_those_of_the_visitor_s_time_zone(house: House) -> None:
    owner = await new_visitor(house, Role.OWNER)
    await owner.browser.get("/settings")

    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        await owner.browser.post("/settings", {"name": "Ada", "timeZone": zone})
        shown = await owner.browser.get(PATH)
        title = shown.attribute("#audit-list time", "title") or ""
        day = datetime.strptime(title.rpartition(", ")[0], "%b %d, %Y").replace(tzinfo=UTC).date()
        narrowed = await owner.browser.get(f"{PATH}?since={day}&until={day}")
        assert any("signed in" in item for item in told(narrowed))


@pytest.mark.parametrize(
    "query", ["kind=%3Cscript%3E", "by=x", "since=yesterday", "until=9999-12-31", "since=x&until=0001-01-01", "x=1"]
)
async def test_an_address_that_makes_no_sense_shows_the_log_all_the_same(owner: Browser, query: str) -> None:
    seen = await owner.get(f"{PATH}?{query}")

    assert seen.status == 200
    assert "<script>" not in seen.response.text


async def test_paging_goes_through_all_events_once(house: House, owner: Browser) -> None:
    for number in range(60):
        await record(house, "toy.made", number=str(number))

    seen = await owner.get(PATH)
    ids = [node.attributes.get("id") for node in seen.html.css("#audit-list details")]
    assert len(ids) == 50
    path = seen.attribute("a[rel=next]", "href") or ""
    rest = await owner.get(path)
    ids += [node.attributes.get("id") for node in rest.html.css("#audit-list details")]

    assert len(ids) == len(set(ids)) > 60
    assert rest.attribute("a[rel=prev]", "href") == PATH
    assert (await owner.get(f"{path}&kind=member.")).status == 400


async def test_an_unknown_action_is_told_by_its_name(house: House, owner: Browser) -> None:
    await record(house, "balloon.let_go", colour="{subject} {to!r} <i>red</i> 🎈")

    seen = await owner.get(PATH)

    assert told(seen)[0] == "CLI balloon let go"
    assert "<i>red" not in seen.response.text


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
async def test_whoever_may_not_see_the_log_gets_403(house: House, role: Role) -> None:
    seen = await (await house.signed_in(role)).get(PATH)

    assert seen.status == 403
    assert "the audit log" in seen.text


async def test_the_log_of_another_workspace_is_not_shown(house: House, owner: Browser, new_house: NewHouse) -> None:
    other = await new_house()
    await record(other, "balloon.let_go")

    assert [item for item in told(await owner.get(PATH)) if "balloon" in item] == []


async def test_a_deletion_of_many_is_told_with_its_count_and_undone_from_the_log(house: House, owner: Browser) -> None:
    ids = [str(await house.lead(f"{name}@acme.com")) for name in ("a", "b")]
    await owner.get("/leads")
    await owner.post("/leads/bulk-changes", {"action": "delete", "ids": ids, "confirmed": "on"})
    seen = await owner.get(PATH)
    assert told(seen)[0].endswith("deleted 2 leads")
    undo = seen.attribute("#audit-list form", "action")
    assert undo
    assert seen.html.css(f"a[href='/changes/{undo.split('/')[2]}']")

    await owner.post(undo)

    seen = await owner.get(PATH)
    assert told(seen)[0].endswith("undid “Delete” (2 leads)")
    assert seen.attribute("#audit-list form", "action") is None
    assert "a@acme.com" in (await owner.get("/leads")).text
