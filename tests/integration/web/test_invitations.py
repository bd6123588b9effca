"""From the link of an invitation to a member who is signed in."""

import pytest
from structlog.testing import capture_logs

from leadflood.domains.identity.service import administration
from leadflood.domains.invitations import service
from leadflood.domains.invitations.contracts import CreateInvitation, InvitationView
from leadflood.domains.invitations.models import LINK
from leadflood.kernel.actor import Role
from leadflood.kernel.crypto import new_token
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import Visitor, audited, members_of, new_visitor
from tests.support.identity import CLI, PASSWORD
from tests.support.web import Browser

FRESH = "nine yellow ferrets"
EXPIRE = sql("UPDATE invitations SET expires_at = now() WHERE workspace_id = :workspace_id")


async def invite(house: House, email: str, role: Role = Role.MEMBER) -> tuple[InvitationView, str]:
    """An invitation and the path of its link."""
    command = CreateInvitation.model_validate({"email": email, "role": role})
    async with house.parts.database.transaction(house.workspace_id) as tx:
        made = await service.invite(tx, house.actor, house.parts.secret_box, command=command)
    return made, f"/invitations/{LINK.token(house.parts.secret_box, made.id, made.sends)}"


def new_address() -> str:
    return f"g{new_id().hex}@acme.test"


async def somebody(new_house: NewHouse) -> Visitor:
    """Somebody with an account, who is in another workspace."""
    return await new_visitor(await new_house(), Role.VIEWER)


async def test_a_newcomer_makes_an_account_and_is_in(house: House, stranger: Browser) -> None:
    made, link = await invite(house, new_address(), Role.VIEWER)

    seen = await stranger.get(link)
    assert seen.status == 200
    assert "You’re invited to Test as a Viewer" in seen.text
    assert seen.attribute("#f-email", "value") == made.email
    entered = await stranger.post(link, {"name": "Grace <b>", "password": FRESH})

    assert (entered.status, entered.path) == (200, "/")
    assert "Welcome to Test." in entered.all(".toast__text")
    assert {(item.email, item.role, item.name) for item in (await members_of(house)).values()} == {
        (made.email, Role.VIEWER, "Grace <b>")
    }
    assert len(await audited(house, "invitation.accepted")) == 1
    assert (await stranger.get("/leads/new")).status == 403
    assert (await (await house.stranger()).sign_in(made.email, FRESH)).path == "/"


async def test_a_fault_is_told_at_its_field_and_the_link_goes_on_working(house: House, stranger: Browser) -> None:
    _, link = await invite(house, new_address())
    await stranger.get(link)

    refused = await stranger.post(link, {"name": "Grace", "password": "short"})
    assert refused.status == 400
    assert refused.attribute("#f-name", "value") == "Grace"
    assert refused.attribute("#f-password", "aria-invalid") == "true"
    assert await members_of(house) == {}

    assert (await stranger.post(link, {"name": "Grace", "password": FRESH})).path == "/"


async def test_somebody_with_an_account_gives_its_password(
    house: House, stranger: Browser, new_house: NewHouse
) -> None:
    person = await somebody(new_house)
    _, link = await invite(house, person.email)

    seen = await stranger.get(link)
    assert seen.html.css("input[name=name]") == []
    wrong = await stranger.post(link, {"password": "not the right one"})
    assert (wrong.status, await members_of(house)) == (401, {})
    entered = await stranger.post(link, {"password": PASSWORD})

    assert entered.path == "/"
    assert (await members_of(house))[person.id].role is Role.MEMBER
    assert str(house.workspace_id) in (await stranger.get("/settings/workspace")).text


async def test_whoever_is_signed_in_as_that_person_just_joins(house: House, new_house: NewHouse) -> None:
    person = await somebody(new_house)
    _, link = await invite(house, person.email.upper())

    seen = await person.browser.get(link)
    assert seen.html.css("input[type=password]") == []
    before = person.browser.client.cookies.get("__Host-leadflood")
    entered = await person.browser.post(link)

    assert entered.path == "/"
    assert "Welcome to Test." in entered.all(".toast__text")
    assert person.browser.client.cookies.get("__Host-leadflood") != before
    assert str(house.workspace_id) in (await person.browser.get("/settings/workspace")).text
    assert (await members_of(house))[person.id].role is Role.MEMBER


async def test_somebody_else_who_is_signed_in_needs_the_password(house: House, new_house: NewHouse) -> None:
    person, other = await somebody(new_house), await somebody(new_house)
    _, link = await invite(house, person.email)

    seen = await other.browser.get(link)
    assert f"You’re signed in as {other.email}" in seen.text
    assert (await other.browser.post(link, {"password": ""})).status == 400
    assert await members_of(house) == {}
    await other.browser.post(link, {"password": PASSWORD})

    assert set(await members_of(house)) == {person.id}
    assert person.email in (await other.browser.get("/settings")).text


@pytest.mark.parametrize("end", ["wrong", "used", "revoked", "expired", "no token"])
async def test_a_link_that_works_no_more_says_what_to_do(house: House, stranger: Browser, end: str) -> None:
    made, link = await invite(house, new_address())
    await stranger.get(link)
    if end == "wrong":
        link = f"/invitations/{new_token('lfi_')}"
    if end == "no token":
        link = "/invitations/%3Cscript%3Ealert(1)"
    if end == "used":
        await (await house.stranger()).get("/sign-in")
        other = await house.stranger()
        await other.get(link)
        await other.post(link, {"name": "Grace", "password": FRESH})
    async with house.parts.database.transaction(house.workspace_id) as tx:
        if end == "revoked":
            await service.revoke(tx, house.actor, invitation_id=made.id)
        if end == "expired":
            await tx.execute(EXPIRE, {"workspace_id": house.workspace_id})
    before = await members_of(house)

    seen = await stranger.get(link)
    posted = await stranger.post(link, {"name": "Mallory", "password": FRESH})

    for item in (seen, posted):
        assert item.status == 404
        assert "ask the person who invited you to resend it" in item.text
        assert made.email not in item.response.text
        assert "<script>alert" not in item.response.text
    assert await members_of(house) == before


async def test_a_disabled_account_is_not_let_in(house: House, stranger: Browser, new_house: NewHouse) -> None:
    person = await somebody(new_house)
    _, link = await invite(house, person.email)
    await administration.disable_user(house.parts.database, CLI, email=person.email)
    await stranger.get(link)

    assert (await stranger.post(link, {"password": PASSWORD})).status == 401
    assert await members_of(house) == {}


async def test_the_token_stays_out_of_other_sites_and_of_the_log(house: House, stranger: Browser) -> None:
    _, link = await invite(house, new_address())

    with capture_logs() as lines:
        seen = await stranger.get(link)
        await stranger.post(link, {"name": "", "password": ""})

    assert seen.response.headers["referrer-policy"] == "same-origin"
    assert seen.html.css("a[href^=http], [src^=http], link[href^=http]") == []
    assert [line["route"] for line in lines if line["event"] == "http.request"] == ["/invitations/{token}"] * 2
    assert link.rpartition("/")[2] not in str(lines)
