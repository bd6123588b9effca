"""One's own name, address and preferences."""

import asyncio

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AuditEventView, ChangeEmail, MeView, UpdateMe
from leadflood.domains.identity.errors import EmailTaken, LoginFailed, LoginThrottled, Unauthenticated, WrongPassword
from leadflood.domains.identity.service import access, profile
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.ids import new_id
from tests.integration.identity.conftest import Company
from tests.support.identity import Identity, Person


async def update(identity: Identity, actor: Actor, **body: str | None) -> MeView:
    return await profile.update_me(identity.database, actor, change=UpdateMe.model_validate(body))


async def change_email(identity: Identity, actor: Actor, email: str, password: str) -> None:
    change = ChangeEmail.model_validate({"email": email, "currentPassword": password})
    await profile.change_email(
        identity.database, identity.settings, identity.sealer, actor, change=change, client=identity.client
    )


async def audited(identity: Identity, company: Company, action: str) -> list[AuditEventView]:
    async with identity.database.transaction(company.id) as tx:
        page = await queries.list_audit_events(tx, Actor.cli(company.id), action=action, limit=10)
    return list(page.items)


async def test_what_is_given_changes_and_the_rest_stays(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    assert (await access.me(identity.database, actor)).user.time_zone == "UTC"

    await update(identity, actor, appearance="dark", timeZone="Asia/Kathmandu")
    renamed = await update(identity, actor, name=" Ada  King ", appearance=None)

    shown = (renamed.user.name, renamed.user.appearance, renamed.user.time_zone, renamed.user.email)
    assert shown == ("Ada King", "dark", "Asia/Kathmandu", company.owner.email)
    assert await update(identity, actor) == renamed
    token = (await identity.login_browser(company.owner)).token
    visitor = (await access.authenticate_browser(identity.database, token)).visitor
    assert (visitor.name, visitor.appearance, visitor.time_zone) == ("Ada King", "dark", "Asia/Kathmandu")


async def test_a_new_name_is_audited_and_preferences_are_not(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)

    await update(identity, actor, appearance="light")
    await update(identity, actor, name="Ada")
    await update(identity, actor, name="Ada King")

    events = await audited(identity, company, "user.")
    assert [(each.action, each.data) for each in events] == [("user.renamed", {"from": "Ada", "to": "Ada King"})]


async def test_nobody_changes_the_profile_of_nobody(identity: Identity, company: Company) -> None:
    with pytest.raises(Unauthenticated):
        await update(identity, Actor.cli(company.id), name="X")


async def test_a_new_address_is_the_one_to_sign_in_with_and_sessions_stay(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)
    token = (await identity.login_browser(company.owner)).token
    email = f"Ada.{new_id().hex}@Acme.test"

    await change_email(identity, actor, email, company.owner.password)

    entered = await identity.login(Person(company.owner.id, email.lower()))
    assert entered.user.email == email.replace("@Acme", "@acme")
    with pytest.raises(LoginFailed):
        await identity.login(company.owner)
    assert await access.still_valid(identity.database, token) is not None
    (event,) = await audited(identity, company, "user.email_changed")
    assert event.data["from"] == company.owner.email


async def test_a_new_address_needs_the_password_which_is_guarded_like_a_login(
    identity: Identity, company: Company
) -> None:
    few = identity.having(login_attempts=3)
    actor = await few.actor(company.owner)
    email = f"{new_id().hex}@acme.test"

    tries = (change_email(few, actor, email, "not the right password") for _ in range(5))
    answers = await asyncio.gather(*tries, return_exceptions=True)

    assert sorted(type(each).__name__ for each in answers) == ["LoginThrottled"] * 2 + ["WrongPassword"] * 3
    assert {type(each) for each in answers} == {LoginThrottled, WrongPassword}
    with pytest.raises(LoginThrottled):
        await change_email(few, actor, email, company.owner.password)


async def test_a_taken_address_is_refused_and_counts_as_a_failed_try(identity: Identity, company: Company) -> None:
    few = identity.having(login_attempts=2)
    actor = await few.actor(company.owner)
    taken = company.people[Role.VIEWER].email

    with pytest.raises(EmailTaken) as caught:
        await change_email(few, actor, taken, company.owner.password)
    with pytest.raises(EmailTaken):
        await change_email(few, actor, taken.upper(), company.owner.password)
    assert (caught.value.status, caught.value.code) == (409, "email_taken")
    with pytest.raises(LoginThrottled):
        await change_email(few, actor, taken, company.owner.password)
    assert await audited(identity, company, "user.email_changed") == []


async def test_of_two_who_want_one_address_at_once_one_gets_it(identity: Identity, company: Company) -> None:
    people = [company.owner, company.people[Role.ADMIN]]
    actors = [await identity.actor(person) for person in people]
    email = f"{new_id().hex}@acme.test"

    answers = await asyncio.gather(
        *(change_email(identity, actor, email, people[0].password) for actor in actors), return_exceptions=True
    )

    assert [type(each) for each in answers if each is not None] == [EmailTaken]
