"""Changing one's password."""

import pytest

from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.errors import InvalidCredentials, InvalidToken, LoginThrottled, WrongPassword
from leadflood.domains.identity.service import access, api_keys
from leadflood.kernel.actor import Actor
from leadflood.kernel.errors import InvalidInput
from tests.integration.identity.conftest import Company, CountingHasher
from tests.support.identity import Identity, Person

NEW = "eleven green otters"


async def test_a_new_password_ends_all_other_sessions_in_every_workspace_but_no_key(
    identity: Identity, company: Company
) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    here, there = await identity.login(company.owner), await identity.login(company.owner)
    elsewhere = await identity.login(company.owner, second)
    bystander = await identity.new_person()
    await identity.new_workspace(bystander)
    theirs = await identity.login(bystander)
    actor = (await access.authenticate(identity.database, here.access_token)).actor
    key = CreateApiKey.model_validate({"name": "Robot", "scopes": ["leads:read"]})
    async with identity.database.transaction(company.id) as tx:
        token = (await api_keys.create_api_key(tx, actor, key=key)).token

    await identity.change_password(actor, company.owner.password, NEW)

    for gone in (there, elsewhere):
        with pytest.raises(InvalidToken):
            await access.authenticate(identity.database, gone.access_token)
    for kept in (here.access_token, theirs.access_token, token):
        await access.authenticate(identity.database, kept)
    with pytest.raises(InvalidCredentials):
        await identity.login(company.owner)
    await identity.login(company.owner, password=NEW)


async def test_a_wrong_current_password_changes_nothing_and_is_throttled(
    identity: Identity, company: Company, hasher: CountingHasher
) -> None:
    actor = await identity.actor(company.owner)
    few = identity.having(max_login_attempts=2)

    with pytest.raises(WrongPassword):
        await few.change_password(actor, "not the right password", NEW)
    with pytest.raises(WrongPassword) as caught:
        await few.change_password(actor, "still not the right one", NEW)
    assert [error.pointer for error in caught.value.errors] == ["/currentPassword"]
    verified = hasher.verified
    with pytest.raises(LoginThrottled):
        await few.change_password(actor, company.owner.password, NEW)

    assert hasher.verified == verified
    await identity.login(company.owner)


async def test_the_email_address_is_no_password(identity: Identity, company: Company) -> None:
    actor = await identity.actor(company.owner)

    with pytest.raises(InvalidInput) as caught:
        await identity.change_password(actor, company.owner.password, company.owner.email.upper())

    assert [(error.pointer, error.code) for error in caught.value.errors] == [("/newPassword", "weak_password")]


async def test_a_password_can_be_typed_on_any_keyboard(identity: Identity, company: Company) -> None:
    composed, decomposed = "Zo\u00eb\u00a0et les p\u00eaches", "Zoe\u0308 et les pe\u0302ches"
    actor = await identity.actor(company.owner)

    await identity.change_password(actor, company.owner.password, composed)

    await identity.login(Person(company.owner.id, company.owner.email, decomposed))


async def test_nobody_at_the_command_line_changes_a_password_this_way(identity: Identity, company: Company) -> None:
    with pytest.raises(InvalidToken):
        await identity.change_password(Actor.cli(company.id), company.owner.password, NEW)
