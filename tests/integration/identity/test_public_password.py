"""The demo user's public password, and what was made with it, open nothing in production."""

from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import CreateApiKey
from leadflood.domains.identity.errors import InvalidCredentials, InvalidToken, PublicPassword
from leadflood.domains.identity.models import DEMO_EMAIL, DEMO_PASSWORD
from leadflood.domains.identity.service import access, administration, api_keys, public_password, signin
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Environment
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.support.identity import CLI, Identity, Person

DEMO = Person(new_id(), DEMO_EMAIL, DEMO_PASSWORD)
ANOTHER = "eleven green otters"

_RENAME = sql("UPDATE users SET email = :new, email_norm = :new WHERE email_norm = :email")
_FORGET = sql("UPDATE users SET public_password_hash = NULL")


@pytest.fixture
async def demo(empty_identity: Identity) -> Identity:
    """An installation on which `up --demo` has run."""
    await administration.first_run(empty_identity.database)
    await administration.ensure_demo(empty_identity.database)
    return empty_identity


def in_production(identity: Identity) -> Identity:
    return identity.having(env=Environment.PRODUCTION)


async def key_of(identity: Identity, actor: Actor) -> str:
    async with identity.database.transaction(actor.workspace_id) as tx:
        made = await api_keys.create_api_key(
            tx, actor, key=CreateApiKey.model_validate({"name": "Form", "scopes": ["leads:write"]})
        )
    return made.token


async def test_nothing_made_with_the_public_password_opens_a_production_instance(demo: Identity) -> None:
    database, production = demo.database, in_production(demo)
    program, browser = await demo.login(DEMO), await demo.login_browser(DEMO)
    key = await key_of(demo, (await access.authenticate(database, program.access_token)).actor)
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: access.authenticate(database, program.access_token, production=True),
        lambda: access.authenticate(database, key, production=True),
        lambda: access.authenticate_browser(database, browser.token, production=True),
        lambda: signin.refresh(database, production.settings, refresh_token=program.refresh_token),
    ]
    for way in ways:
        with pytest.raises(InvalidToken):
            await way()
    assert await access.still_valid(database, browser.token, production=True) is None
    for sign_in in (production.login, production.login_browser):
        with pytest.raises(PublicPassword, match="set-password"):
            await sign_in(DEMO)

    await access.authenticate(database, key)
    await signin.refresh(database, demo.settings, refresh_token=program.refresh_token)
    assert await access.still_valid(database, browser.token) is not None


async def test_a_production_instance_does_not_start_until_the_password_is_another_one(demo: Identity) -> None:
    database, settings = demo.database, in_production(demo).settings
    await public_password.refuse_to_serve(database, demo.settings)
    with pytest.raises(PublicPassword, match=f"set-password {DEMO_EMAIL}.*disable {DEMO_EMAIL}"):
        await public_password.refuse_to_serve(database, settings)
    embedded, apart = (
        settings.model_copy(update={"database_url": url}) for url in (None, SecretStr("postgresql://db/leadflood"))
    )
    with pytest.raises(PublicPassword, match="LEADFLOOD_ENV=development leadflood up"):
        await public_password.refuse_to_serve(database, embedded)
    with pytest.raises(PublicPassword) as refused:
        await public_password.refuse_to_serve(database, apart)
    assert "leadflood up" not in refused.value.detail

    await administration.disable_user(database, CLI, email=DEMO_EMAIL)
    await public_password.refuse_to_serve(database, settings)
    await administration.enable_user(database, CLI, email=DEMO_EMAIL)
    with pytest.raises(PublicPassword):
        await public_password.refuse_to_serve(database, settings)

    await administration.set_password(database, CLI, email=DEMO_EMAIL, password=ANOTHER)
    await public_password.refuse_to_serve(database, settings)
    login = await in_production(demo).login(DEMO, password=ANOTHER)
    await access.authenticate(database, login.access_token, production=True)


async def test_the_password_counts_and_not_the_address_nor_what_an_older_release_stored(demo: Identity) -> None:
    async with demo.database.system() as tx:
        await tx.execute(_RENAME, {"email": DEMO_EMAIL, "new": "ada@acme.test"})
        await tx.execute(_FORGET)

    with pytest.raises(PublicPassword, match="ada@acme"):
        await public_password.refuse_to_serve(demo.database, in_production(demo).settings)
    with pytest.raises(PublicPassword):
        await in_production(demo).login(Person(new_id(), "ada@acme.test", DEMO_PASSWORD))

    token = (await demo.login(Person(new_id(), "ada@acme.test", DEMO_PASSWORD))).access_token
    with pytest.raises(InvalidToken):  # the comparison at the start is remembered
        await access.authenticate(demo.database, token, production=True)


async def test_any_address_with_the_public_password_gets_the_same_answer(demo: Identity) -> None:
    production = in_production(demo)
    answers = []
    for email in (DEMO_EMAIL, "owner@leadflood.local", "nobody@acme.test"):
        with pytest.raises(PublicPassword) as refused:
            await production.login(Person(new_id(), email, DEMO_PASSWORD))
        answers.append(refused.value.detail)
    assert len(set(answers)) == 1
    with pytest.raises(InvalidCredentials):
        await production.login(DEMO, password="wrong horse battery")


async def test_a_new_password_in_place_of_the_public_one_ends_the_keys_that_anybody_may_have_made(
    demo: Identity,
) -> None:
    async def change_by_operator(actor: Actor) -> None:
        await administration.set_password(demo.database, CLI, email=DEMO_EMAIL, password=ANOTHER)

    async def change_oneself(actor: Actor) -> None:
        await demo.change_password(actor, DEMO_PASSWORD, ANOTHER)

    for change in (change_by_operator, change_oneself):
        actor = await demo.actor(DEMO)
        key = await key_of(demo, actor)
        await change(actor)
        with pytest.raises(InvalidToken):
            await access.authenticate(demo.database, key)
        async with demo.database.transaction(actor.workspace_id) as tx:
            log = await queries.list_audit_events(tx, actor, action="api_key.revoked", limit=1)
        assert log.items[0].data == {"reason": "public_password"}

        kept = await key_of(demo, await demo.actor(DEMO, password=ANOTHER))
        await administration.set_password(demo.database, CLI, email=DEMO_EMAIL, password="seven purple walruses")
        await access.authenticate(demo.database, kept)
        await administration.ensure_demo(demo.database)
