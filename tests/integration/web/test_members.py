"""Members and invitations as the workspace sees them: roles, removals, inviting, sending again, revoking."""

import pytest

from leadflood.domains.invitations import queries
from leadflood.domains.invitations.contracts import InvitationView
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import audited, members_of, new_visitor
from tests.support.web import Browser

PATH = "/settings/members"
AGES_AGO = sql("UPDATE invitations SET last_sent_at = now() - interval '1 hour' WHERE workspace_id = :workspace_id")
ENDS = sql("""
UPDATE job_executions SET status = CAST(:status AS text), last_error = :error, attempts = 1,
    finished_at = CASE WHEN CAST(:status AS text) <> 'queued' THEN now() END
WHERE workspace_id = :workspace_id AND kind = 'invitations.send.v1'
""")


def new_address() -> str:
    return f"g{new_id().hex}@acme.test"


async def pending(house: House) -> list[InvitationView]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return list((await queries.list_invitations(tx, house.actor, limit=100)).items)


async def invited(house: House, browser: Browser, role: str = "member") -> InvitationView:
    await browser.get("/settings/invitations/new")
    await browser.post("/settings/invitations", {"email": new_address(), "role": role})
    return (await pending(house))[0]


async def test_members_are_listed_with_their_roles_for_everybody(house: House, viewer: Browser) -> None:
    admin = await new_visitor(house, Role.ADMIN)

    seen = await viewer.get(PATH)

    assert admin.email in seen.text
    assert seen.all("#members-list tbody td[data-label=Role]") == ["Viewer", "Admin"]
    assert "Owners and admins can invite people." in seen.text
    assert (
        seen.html.css("a[href='/settings/invitations/new'], form[action^='/settings/']:not([action$=appearance])") == []
    )


async def test_an_admin_changes_a_role_which_counts_from_the_next_request_on(house: House) -> None:
    admin, other = await new_visitor(house, Role.ADMIN), await new_visitor(house, Role.MEMBER)
    await admin.browser.get(PATH)

    seen = await admin.browser.post(f"{PATH}/{other.id}/roles", {"role": "viewer"})

    assert any(item.endswith("Role changed to Viewer.") for item in seen.all(".toast__text"))
    assert (await members_of(house))[other.id].role is Role.VIEWER
    assert (await other.browser.get("/leads/new")).status == 403
    assert [item.data for item in await audited(house, "member.role_changed")] == [{"from": "member", "to": "viewer"}]


@pytest.mark.parametrize("role", ["", "emperor", "OWNER"])
async def test_no_other_role_is_taken(house: House, owner: Browser, role: str) -> None:
    member = await new_visitor(house, Role.MEMBER)
    await owner.get(PATH)

    assert (await owner.post(f"{PATH}/{member.id}/roles", {"role": role})).status == 400
    assert (await members_of(house))[member.id].role is Role.MEMBER


async def test_an_admin_is_offered_nothing_about_owners_and_gets_403(house: House) -> None:
    owner, admin = await new_visitor(house, Role.OWNER), await new_visitor(house, Role.ADMIN)

    seen = await admin.browser.get(PATH)
    assert seen.html.css(f"form[action^='{PATH}/{owner.id}/']") == []
    assert "Owner" not in seen.all(f"#member-menu-{admin.id} .menu__item")

    for path, fields in (("roles", {"role": "member"}), ("removals", {})):
        refused = await admin.browser.post(f"{PATH}/{owner.id}/{path}", fields)
        assert refused.status == 403
        assert "Only owners" in refused.text
        assert owner.email in refused.text
    promoted = await admin.browser.post(f"{PATH}/{admin.id}/roles", {"role": "owner"})
    assert promoted.status == 403
    assert (await members_of(house))[owner.id].role is Role.OWNER


async def test_a_removed_member_is_out_at_once(house: House, owner: Browser) -> None:
    member = await new_visitor(house, Role.MEMBER)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        command = CreateLead.model_validate({"email": new_address(), "ownerId": str(member.id)})
        await leads.create_lead(tx, house.actor, command=command, trace={})
    listed = await owner.get(PATH)
    assert listed.html.css_first(f"#member-menu-{member.id} a[href='{PATH}/{member.id}/removals']") is not None
    asked = await owner.get(f"{PATH}/{member.id}/removals")
    assert "1 lead becomes unassigned." in asked.text

    seen = await owner.post(f"{PATH}/{member.id}/removals")

    assert any("1 lead becomes unassigned." in item for item in seen.all(".toast__text"))
    assert member.id not in await members_of(house)
    assert (await member.browser.get("/leads")).path == "/sign-in"


async def test_the_last_owner_stays_and_is_told_why(house: House) -> None:
    owner = await new_visitor(house, Role.OWNER)
    await owner.browser.get(PATH)

    refused = await owner.browser.post(f"{PATH}/{owner.id}/removals")

    assert refused.status == 409
    assert "Assign another owner first" in refused.text
    assert (await members_of(house))[owner.id].role is Role.OWNER


async def test_somebody_who_leaves_is_signed_out(house: House, owner: Browser) -> None:
    admin = await new_visitor(house, Role.ADMIN)
    seen = await admin.browser.get(PATH)
    assert "Leave workspace" in seen.text

    assert (await admin.browser.post(f"{PATH}/{admin.id}/removals")).path == "/sign-in"
    assert admin.id not in await members_of(house)


async def test_whoever_may_not_change_members_gets_403(house: House) -> None:
    member, other = await new_visitor(house, Role.MEMBER), await new_visitor(house, Role.VIEWER)
    await member.browser.get(PATH)

    for path, fields in (
        (f"{PATH}/{other.id}/roles", {"role": "admin"}),
        (f"{PATH}/{other.id}/removals", {}),
        ("/settings/invitations", {"email": new_address(), "role": "viewer"}),
        (f"/settings/invitations/{new_id()}/sendings", {}),
        (f"/settings/invitations/{new_id()}/revocations", {}),
    ):
        assert (await member.browser.post(path, fields)).status == 403
    assert (await member.browser.get("/settings/invitations/new")).status == 403
    assert await pending(house) == []


async def test_members_and_invitations_of_another_workspace_do_not_exist(
    house: House, owner: Browser, new_house: NewHouse
) -> None:
    other = await new_house()
    stranger = await new_visitor(other, Role.MEMBER)
    theirs = await invited(other, await other.signed_in(Role.OWNER))

    seen = await owner.get(PATH)
    assert stranger.email not in seen.text
    assert theirs.email not in seen.text
    for path, fields in (
        (f"{PATH}/{stranger.id}/roles", {"role": "viewer"}),
        (f"{PATH}/{stranger.id}/removals", {}),
        (f"/settings/invitations/{theirs.id}/sendings", {}),
        (f"/settings/invitations/{theirs.id}/revocations", {}),
    ):
        assert (await owner.post(path, fields)).status == 404
    assert (await members_of(other))[stranger.id].role is Role.MEMBER
    assert len(await pending(other)) == 1


async def test_an_invitation_is_queued_and_listed(house: House, owner: Browser) -> None:
    form = await owner.get("/settings/invitations/new")
    assert form.attribute("input[name=role][checked]", "value") == "member"
    address = new_address()

    seen = await owner.post("/settings/invitations", {"email": address, "role": "viewer"})

    assert f"Invitation sent to {address}." in seen.all(".toast__text")
    assert seen.path == PATH
    (row,) = seen.all("#members-invitations tbody tr")
    assert address in row
    assert "Viewer" in row
    assert "Queued" in row


async def test_what_is_wrong_with_an_invitation_is_told_at_its_field(house: House, owner: Browser) -> None:
    await owner.get("/settings/invitations/new")

    wrong = await owner.post("/settings/invitations", {"email": "<script>@", "role": "emperor"})
    assert wrong.status == 400
    assert wrong.attribute("#f-email", "value") == "<script>@"
    assert {"Email", "Role"} == {item.partition(":")[0] for item in wrong.all(".error-summary li")}
    assert "<script>@" not in wrong.response.text

    member = await new_visitor(house, Role.MEMBER)
    known = await owner.post("/settings/invitations", {"email": member.email, "role": "viewer"})
    assert (known.status, known.attribute("#f-email", "value")) == (409, member.email)
    assert await pending(house) == []


async def test_an_admin_can_invite_nobody_as_owner(house: House) -> None:
    admin = await new_visitor(house, Role.ADMIN)

    form = await admin.browser.get("/settings/invitations/new")
    assert form.html.css("input[name=role][value=owner]") == []
    seen = await admin.browser.post("/settings/invitations", {"email": new_address(), "role": "owner"})

    assert seen.status == 403
    assert await pending(house) == []


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        ("completed", None, "Sent"),
        ("failed", "The mail server answered: 550 <b>no</b> such user", "Failed"),
        ("queued", "The mail server cannot be reached", "Retrying"),
    ],
)
async def test_how_far_a_mail_is_is_told_honestly(
    house: House, owner: Browser, status: str, error: str | None, told: str
) -> None:
    made = await invited(house, owner)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await tx.execute(ENDS, {"workspace_id": house.workspace_id, "status": status, "error": error})

    seen = await owner.get(PATH)

    (row,) = seen.all("#members-invitations tbody tr")
    assert told in row
    assert (error or "") in row
    links = {node.attributes.get("href") for node in seen.html.css("#members-invitations tbody a")}
    assert (f"/jobs/{made.delivery.job_id}" in links) is (error is not None)


async def test_an_invitation_is_sent_again_but_not_in_the_same_minute(house: House, owner: Browser) -> None:
    made = await invited(house, owner)

    early = await owner.post(f"/settings/invitations/{made.id}/sendings")
    assert early.status == 429
    assert "just sent to this email" in early.text
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await tx.execute(AGES_AGO, {"workspace_id": house.workspace_id})
    seen = await owner.post(f"/settings/invitations/{made.id}/sendings")

    assert any(made.email in item for item in seen.all(".toast__text"))
    assert "2 times" in seen.text
    assert [item.sends for item in await pending(house)] == [2]


async def test_a_revoked_invitation_is_gone_from_the_list(house: House, owner: Browser) -> None:
    made = await invited(house, owner)
    asked = await owner.get(PATH)
    action = asked.attribute(f"dialog#revoke-{made.id} form", "action") or ""

    seen = await owner.post(action)

    assert "Invitation revoked." in seen.all(".toast__text")
    assert made.email not in seen.text
    assert "No pending invitations" in seen.text
    assert (await owner.post(action)).status == 404


async def test_hostile_names_are_shown_as_text(house: House, owner: Browser) -> None:
    visitor = await new_visitor(house, Role.VIEWER)
    await visitor.browser.get("/settings")
    await visitor.browser.post("/settings", {"name": "<img src=x onerror=alert(1)> 🚀", "timeZone": "UTC"})

    seen = await owner.get(PATH)

    assert "<img src=x onerror=alert(1)> 🚀" in seen.text
    assert seen.html.css("img") == []
