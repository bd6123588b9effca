"""The first owner's own start by the printed link."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from leadflood.domains.identity import queries, store
from leadflood.domains.identity.contracts import BrowserSession, SetUp
from leadflood.domains.identity.errors import EmailTaken, InvalidCredentials, SetupAlreadyDone
from leadflood.domains.identity.models import DEMO_EMAIL, DEMO_PASSWORD, FirstRun
from leadflood.domains.identity.service import access, administration, first_run
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.crypto import SecretBox, new_secret_key, new_token
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.identity.test_operators import waiting_for_the_lock
from tests.support.identity import CLI, Identity, Person
from tests.support.postgres import Cluster

FRESH = "nine yellow ferrets"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
WANTED = {"name": "Grace Hopper", "email": "Grace@Acme.test", "password": FRESH, "workspace": "Acme"}


async def started(identity: Identity) -> tuple[FirstRun, str]:
    """An installation after its first start, and the code that was printed."""
    first = await administration.first_run(identity.database)
    code = await first_run.open_code(identity.database, identity.secret_box, now=NOW)
    assert first is not None
    assert code is not None
    return first, code


async def set_up(identity: Identity, code: str, **changes: str) -> BrowserSession:
    wanted = SetUp.model_validate({**WANTED, **changes})
    return await first_run.set_up(
        identity.database,
        identity.settings,
        identity.secret_box,
        code=code,
        wanted=wanted,
        client=identity.client,
        now=NOW,
    )


async def test_the_link_makes_owner_and_workspace_what_they_are_to_be(empty_identity: Identity) -> None:
    first, code = await started(empty_identity)
    assert await first_run.open_code(empty_identity.database, empty_identity.secret_box, now=NOW) == code
    found = await first_run.check(empty_identity.database, empty_identity.secret_box, code=code, now=NOW)
    assert (found.id, found.name) == (first.workspace_id, "My workspace")

    session = await set_up(empty_identity, code)

    visitor = (await access.authenticate_browser(empty_identity.database, session.token)).visitor
    assert (visitor.name, visitor.email, visitor.workspace.name) == ("Grace Hopper", "Grace@acme.test", "Acme")
    assert (visitor.workspace.id, visitor.workspace.role) == (first.workspace_id, Role.OWNER)
    await empty_identity.login(Person(visitor.id, "grace@acme.test", FRESH))
    with pytest.raises(InvalidCredentials):
        await empty_identity.login(Person(visitor.id, first.email, first.password))
    async with empty_identity.database.transaction(first.workspace_id, read_only=True) as tx:
        events = (await queries.list_audit_events(tx, Actor.cli(first.workspace_id), limit=20)).items
    own = [event for event in reversed(events) if event.actor.kind == "user"]
    assert [item.action for item in own][:3] == ["password.changed", "workspace.set_up", "session.started"]
    assert FRESH not in str(events)


async def test_the_code_works_for_24_hours_and_the_next_start_prints_another(empty_identity: Identity) -> None:
    database, secret_box = empty_identity.database, empty_identity.secret_box
    _, code = await started(empty_identity)
    last, over = NOW + timedelta(hours=24, seconds=-1), NOW + timedelta(hours=24)

    await first_run.check(database, secret_box, code=code, now=last)
    with pytest.raises(SetupAlreadyDone, match="leadflood user first-run"):
        await first_run.check(database, secret_box, code=code, now=over)
    token, _, end = code.partition("-")
    for longer in (f"{token}-{int(end) + 3600}", f"{token}-{'9' * 5000}", f"{token}-", f"{token}-٩٩٩", token):
        with pytest.raises(SetupAlreadyDone):
            await first_run.check(database, secret_box, code=longer, now=NOW)

    another = await first_run.open_code(database, secret_box, now=over)
    assert another is not None
    await first_run.check(database, secret_box, code=another, now=over)


async def test_nothing_is_printed_once_anybody_has_signed_in_though_the_link_still_works(
    empty_identity: Identity,
) -> None:
    database, secret_box = empty_identity.database, empty_identity.secret_box
    _, code = await started(empty_identity)
    assert await first_run.open_code(database, secret_box, now=NOW, unless_in_use=True) is not None
    await administration.ensure_demo(database)

    await empty_identity.login(Person(new_id(), DEMO_EMAIL, DEMO_PASSWORD))

    assert await first_run.open_code(database, secret_box, now=NOW, unless_in_use=True) is None
    await first_run.check(database, secret_box, code=code, now=NOW)


async def test_the_code_works_once(empty_identity: Identity) -> None:
    _, code = await started(empty_identity)

    answers = await asyncio.gather(*(set_up(empty_identity, code) for _ in range(4)), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["BrowserSession", *["SetupAlreadyDone"] * 3]
    assert await first_run.open_code(empty_identity.database, empty_identity.secret_box, now=NOW) is None


@pytest.mark.parametrize("end", ["signed in", "signed in long ago", "password changed", "password set", "disabled"])
async def test_the_code_is_worthless_once_the_owner_was_there(empty_identity: Identity, end: str) -> None:
    first, code = await started(empty_identity)
    owner = Person(new_id(), first.email, first.password)
    if end == "password set":
        await administration.set_password(empty_identity.database, CLI, email=first.email, password=FRESH)
    elif end == "disabled":
        await administration.disable_user(empty_identity.database, CLI, email=first.email)
    else:
        actor = await empty_identity.actor(owner)
        if end == "password changed":
            await empty_identity.change_password(actor, first.password, FRESH)
    if end == "signed in long ago":
        async with empty_identity.database.system() as tx:
            await tx.execute(sql("DELETE FROM sessions"))

    assert await first_run.open_code(empty_identity.database, empty_identity.secret_box, now=NOW) is None
    with pytest.raises(SetupAlreadyDone):
        await first_run.check(empty_identity.database, empty_identity.secret_box, code=code, now=NOW)
    with pytest.raises(SetupAlreadyDone):
        await set_up(empty_identity, code)


async def test_a_wrong_code_opens_nothing(empty_identity: Identity) -> None:
    _, code = await started(empty_identity)
    other_key = SecretBox(new_secret_key())
    foreign = await first_run.open_code(empty_identity.database, other_key, now=NOW)
    assert foreign is not None

    for wrong in ("", "lff_", "é" * 42, "\ud800", code[:-1], code + "0", code.swapcase(), new_token("lff_"), foreign):
        with pytest.raises(SetupAlreadyDone):
            await first_run.check(empty_identity.database, empty_identity.secret_box, code=wrong, now=NOW)


async def test_a_taken_address_changes_nothing(empty_identity: Identity) -> None:
    first, code = await started(empty_identity)
    await administration.ensure_demo(empty_identity.database)

    with pytest.raises(EmailTaken):
        await set_up(empty_identity, code, email="demo@leadflood.local")

    assert await first_run.open_code(empty_identity.database, empty_identity.secret_box, now=NOW) == code
    assert (
        await first_run.check(empty_identity.database, empty_identity.secret_box, code=code, now=NOW)
    ).name == "My workspace"
    login = await empty_identity.login(Person(new_id(), first.email, first.password))
    assert login.user.name == "Owner"


async def test_who_signs_in_meanwhile_with_the_printed_password_closes_the_link(
    empty_identity: Identity, cluster: Cluster
) -> None:
    first, code = await started(empty_identity)
    async with empty_identity.database.system() as tx:
        await store.lock_first_run(tx)
        running = asyncio.create_task(set_up(empty_identity, code))
        await waiting_for_the_lock(cluster, 1)
        await empty_identity.login(Person(new_id(), first.email, first.password))

    with pytest.raises(SetupAlreadyDone):
        await running
