"""Sessions of browsers: one token in a cookie, which slides, switches workspaces, and ends at once."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import BrowserSession
from leadflood.domains.identity.errors import (
    InvalidCredentials,
    InvalidToken,
    LoginThrottled,
    SessionNotFound,
    WorkspaceNotFound,
)
from leadflood.domains.identity.models import MAX_SESSIONS, SessionKind
from leadflood.domains.identity.service import access, administration, members, sessions
from leadflood.kernel.actor import Actor, ActorKind, Role
from leadflood.kernel.crypto import new_token
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from leadflood.kernel.pagination import Position
from tests.integration.identity.conftest import Company, CountingHasher
from tests.support.identity import CLI, Identity, Person
from tests.support.postgres import Cluster
from tests.support.statements import counted
from tests.support.waiting import eventually


async def is_live(identity: Identity, token: str) -> bool:
    try:
        await access.authenticate_browser(identity.database, token)
    except InvalidToken:
        assert await access.still_valid(identity.database, token) is None
        return False
    assert await access.still_valid(identity.database, token) is not None
    return True


async def switch(identity: Identity, actor: Actor, workspace_id: UUID) -> BrowserSession:
    return await sessions.switch_workspace(
        identity.database, identity.settings, actor, workspace_id=workspace_id, client=identity.client
    )


async def actor_of(identity: Identity, token: str) -> Actor:
    return (await access.authenticate_browser(identity.database, token)).actor


async def actions(identity: Identity, workspace_id: UUID, session_id: UUID | None) -> list[tuple[str, Any]]:
    """Audit entries of a session in a workspace, oldest first."""
    async with identity.database.transaction(workspace_id) as tx:
        page = await queries.list_audit_events(tx, Actor.cli(workspace_id), subject_id=session_id, limit=10)
    return [(item.action, item.data.get("reason")) for item in reversed(page.items)]


async def age(identity: Identity, session_id: UUID | None, interval: str) -> None:
    """Let a session have been used last so long ago."""
    move = sql("""
        WITH aged AS (
            UPDATE sessions SET last_used_at = last_used_at - CAST(:ago AS text)::interval,
                                expires_at = expires_at - CAST(:ago AS text)::interval
            WHERE id = :id RETURNING id
        )
        UPDATE session_tokens SET expires_at = expires_at - CAST(:ago AS text)::interval
        WHERE session_id IN (SELECT id FROM aged)
    """)
    async with identity.database.system() as tx:
        await tx.execute(move, {"id": session_id, "ago": interval})


async def lives_until(identity: Identity, session_id: UUID | None) -> list[datetime]:
    """Expiration times of a session and its tokens."""
    query = sql("""
        SELECT expires_at FROM sessions WHERE id = :id
        UNION ALL SELECT expires_at FROM session_tokens WHERE session_id = :id ORDER BY 1
    """)
    async with identity.database.system(read_only=True) as tx:
        return [row[0] for row in await tx.all(query, {"id": session_id})]


async def test_a_browser_gets_one_token_that_tells_who_reads_the_page(identity: Identity, company: Company) -> None:
    second = await identity.new_workspace(company.owner, "Second")

    login = await identity.login_browser(company.owner, second)

    assert (login.workspace.id, [workspace.id for workspace in login.workspaces]) == (second, [company.id, second])
    ctx = await access.authenticate_browser(identity.database, login.token)
    actor, visitor = ctx.actor, ctx.visitor
    assert (actor.kind, actor.workspace_id, actor.role) == (ActorKind.USER, second, Role.OWNER)
    assert (visitor.id, visitor.email, visitor.name) == (company.owner.id, company.owner.email, "Ada")
    assert (visitor.appearance, visitor.time_zone) == ("system", "auto")
    assert (visitor.workspace, visitor.workspaces) == (login.workspace, login.workspaces)
    assert await access.still_valid(identity.database, login.token) == actor


async def test_a_page_view_costs_one_statement_and_so_does_a_live_look(identity: Identity, company: Company) -> None:
    token = (await identity.login_browser(company.owner)).token
    with counted(identity.database.pool) as statements:
        await access.authenticate_browser(identity.database, token)
        await access.still_valid(identity.database, token)
        await asyncio.to_thread(int)  # the driver tells of a statement a moment after it
    # The first use of a type on a connection makes the driver look it up.
    assert len([text for text in statements.texts if "pg_type" not in text and "'jit'" not in text]) == 2


async def test_a_cookie_s_token_is_no_bearer_token_and_the_reverse(identity: Identity, company: Company) -> None:
    cookie = (await identity.login_browser(company.owner)).token
    bearer = await identity.login(company.owner)

    with pytest.raises(InvalidToken):
        await access.authenticate(identity.database, cookie)
    for token in (bearer.access_token, bearer.refresh_token, new_token("lfw_"), "lfw_", "", "\ud800" * 42):
        assert not await is_live(identity, token)


async def test_a_browser_is_let_in_by_the_same_door_as_the_api(
    identity: Identity, company: Company, hasher: CountingHasher
) -> None:
    few = identity.having(max_login_attempts=2)
    wrong = Person(company.owner.id, company.owner.email, "not the right password")
    work = []
    for person in (wrong, Person(new_id(), f"{new_id().hex}@acme.test"), wrong):
        before = hasher.verified
        with pytest.raises(InvalidCredentials):
            await few.login_browser(person)
        work.append(hasher.verified - before)
    assert work == [1, 1, 1]

    for login in (few.login_browser, few.login):
        with pytest.raises(LoginThrottled):
            await login(company.owner)


async def test_a_fresh_login_ends_what_the_same_browser_had_before(identity: Identity, company: Company) -> None:
    before = await identity.login_browser(company.people[Role.ADMIN])
    had = await actor_of(identity, before.token)
    other = await identity.login_browser(company.people[Role.ADMIN])

    with pytest.raises(InvalidCredentials):
        await identity.login_browser(Person(new_id(), "nobody@acme.test"), replaces=had)
    assert await is_live(identity, before.token)

    foreign = await identity.new_person()
    await identity.new_workspace(foreign)
    after = await identity.login_browser(foreign, replaces=had)

    assert after.token != before.token
    assert [await is_live(identity, item.token) for item in (before, other, after)] == [False, True, True]
    assert await actions(identity, company.id, had.session_id) == [
        ("session.started", None),
        ("session.ended", "replaced"),
    ]
    await identity.login_browser(foreign, replaces=had)  # which has ended already


async def test_use_prolongs_a_browser_s_session_and_its_token(identity: Identity, company: Company) -> None:
    token = (await identity.login_browser(company.owner)).token
    actor = await actor_of(identity, token)
    fresh = await lives_until(identity, actor.session_id)
    await age(identity, actor.session_id, "13 days")
    assert (await access.authenticate_browser(identity.database, token)).stale

    await access.touch(identity.database, actor)

    assert not (await access.authenticate_browser(identity.database, token)).stale
    prolonged = await lives_until(identity, actor.session_id)
    assert len(prolonged) == 2
    assert prolonged[0] == prolonged[1] > fresh[0]

    await access.touch(identity.database, actor)
    assert await lives_until(identity, actor.session_id) == prolonged


async def test_a_browser_that_stays_away_too_long_is_out_and_cannot_come_back(
    identity: Identity, company: Company
) -> None:
    token = (await identity.login_browser(company.owner)).token
    actor = await actor_of(identity, token)
    await age(identity, actor.session_id, "14 days")

    assert not await is_live(identity, token)
    await access.touch(identity.database, actor)
    assert not await is_live(identity, token)


async def test_use_does_not_prolong_a_session_of_the_api(identity: Identity, company: Company) -> None:
    tokens = await identity.login(company.owner)
    actor = (await access.authenticate(identity.database, tokens.access_token)).actor
    await age(identity, actor.session_id, "10 minutes")
    before = await lives_until(identity, actor.session_id)

    await access.touch(identity.database, actor)

    assert await lives_until(identity, actor.session_id) == before
    assert not (await access.authenticate(identity.database, tokens.access_token)).stale


async def test_switching_ends_the_session_here_and_starts_one_there(identity: Identity, company: Company) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    before = (await identity.login_browser(company.owner, company.id)).token
    here = await actor_of(identity, before)

    entered = await switch(identity, here, second)

    assert entered.workspace.name == "Second"
    assert not await is_live(identity, before)
    there = await actor_of(identity, entered.token)
    assert (there.workspace_id, there.user_id) == (second, company.owner.id)
    assert (await actions(identity, company.id, here.session_id))[-1] == ("session.ended", "switched")
    assert await actions(identity, second, there.session_id) == [("session.started", None)]
    with pytest.raises(InvalidToken):
        await switch(identity, here, second)


async def test_a_workspace_of_others_cannot_be_switched_to(identity: Identity, company: Company) -> None:
    token = (await identity.login_browser(company.owner)).token
    actor = await actor_of(identity, token)
    foreign = await identity.new_workspace(await identity.new_person())

    for workspace_id in (foreign, new_id()):
        with pytest.raises(WorkspaceNotFound):
            await switch(identity, actor, workspace_id)
    assert await is_live(identity, token)


async def test_a_password_changed_while_switching_leaves_no_session_behind(
    identity: Identity, company: Company, cluster: Cluster
) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    actor = await actor_of(identity, (await identity.login_browser(company.owner, company.id)).token)

    async def waiting(count: int) -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tests' AND wait_event_type = 'Lock'"
        return int(cluster.run(query)) == count

    async with identity.database.system() as tx:
        # The switch has ended one session and started another, and cannot commit: its audit event waits for this.
        await tx.execute(sql("SELECT FROM workspaces WHERE id = :id FOR UPDATE"), {"id": second})
        switching = asyncio.create_task(switch(identity, actor, second))
        await eventually(lambda: waiting(1))
        changing = asyncio.create_task(
            administration.set_password(
                identity.database, CLI, email=company.owner.email, password="eleven green otters"
            )
        )
        await eventually(lambda: waiting(2))
    entered = await switching
    await changing

    assert not await is_live(identity, entered.token)


@pytest.mark.parametrize("fate", ["removed", "disabled", "password"])
async def test_who_loses_the_right_is_out_with_the_next_look(identity: Identity, company: Company, fate: str) -> None:
    person = company.people[Role.MEMBER]
    token = (await identity.login_browser(person)).token
    assert await is_live(identity, token)
    owner = await identity.actor(company.owner)

    if fate == "removed":
        async with identity.database.transaction(company.id) as tx:
            await members.remove_member(tx, owner, user_id=person.id)
    elif fate == "disabled":
        await administration.disable_user(identity.database, CLI, email=person.email)
    else:
        await administration.set_password(identity.database, CLI, email=person.email, password="eleven green otters")

    assert not await is_live(identity, token)


async def test_all_own_sessions_are_listed_wherever_they_are(identity: Identity, company: Company) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    await identity.login(company.owner, company.id)
    there = await identity.login_browser(company.owner, second)
    await identity.login_browser(company.people[Role.ADMIN])
    actor = await actor_of(identity, there.token)

    listed = (await sessions.list_all_sessions(identity.database, actor, limit=10)).items
    shown = [(item.kind, item.workspace_id, item.workspace_name, item.current) for item in listed]

    assert shown == [
        (SessionKind.BROWSER, second, "Second", True),
        (SessionKind.API, company.id, "Acme", False),
    ]
    first = await sessions.list_all_sessions(identity.database, actor, limit=1)
    rest = await sessions.list_all_sessions(identity.database, actor, after=first.after, limit=1)
    assert isinstance(first.after, Position)
    assert [*first.items, *rest.items] == list(listed)
    assert rest.after is None


async def test_an_own_session_is_ended_from_anywhere_and_audited_where_it_was(
    identity: Identity, company: Company
) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    here = await actor_of(identity, (await identity.login_browser(company.owner, company.id)).token)
    there = await identity.login_browser(company.owner, second)
    ended = (await actor_of(identity, there.token)).session_id
    others = await actor_of(identity, (await identity.login_browser(company.people[Role.ADMIN])).token)
    assert ended is not None
    assert others.session_id is not None

    for foreign in (others.session_id, new_id()):
        with pytest.raises(SessionNotFound):
            await sessions.end_any_session(identity.database, here, session_id=foreign)
    await sessions.end_any_session(identity.database, here, session_id=ended)

    assert not await is_live(identity, there.token)
    assert await actions(identity, second, ended) == [("session.started", None), ("session.ended", "ended")]
    with pytest.raises(SessionNotFound):
        await sessions.end_any_session(identity.database, here, session_id=ended)


async def test_all_other_sessions_end_in_every_workspace(identity: Identity, company: Company) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    others = [await identity.login_browser(company.owner, where) for where in (company.id, second)]
    program = await identity.login(company.owner, second)
    kept = await identity.login_browser(company.owner)
    stranger = await identity.login_browser(company.people[Role.ADMIN])
    actor = await actor_of(identity, kept.token)

    assert await sessions.end_other_sessions(identity.database, actor) == 3

    assert [await is_live(identity, item.token) for item in (*others, kept, stranger)] == [False, False, True, True]
    with pytest.raises(InvalidToken):
        await access.authenticate(identity.database, program.access_token)
    for workspace_id in (company.id, second):
        async with identity.database.transaction(workspace_id) as tx:
            page = await queries.list_audit_events(tx, Actor.cli(workspace_id), action="session.others_ended", limit=5)
        assert [item.data for item in page.items] == [{"endedSessions": 3}]


async def test_a_session_ends_after_its_lifetime_however_much_it_is_used_or_switched(
    identity: Identity, company: Company
) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    token = (await identity.login_browser(company.owner, company.id)).token
    actor = await actor_of(identity, token)
    async with identity.database.system() as tx:
        await tx.execute(
            sql("UPDATE sessions SET ends_at = now() + interval '2 days' WHERE id = :id"), {"id": actor.session_id}
        )
    await age(identity, actor.session_id, "13 days")

    await access.touch(identity.database, actor)
    (end,) = set(await lives_until(identity, actor.session_id))
    entered = await switch(identity, actor, second)

    there = await actor_of(identity, entered.token)
    assert set(await lives_until(identity, there.session_id)) == {end}
    async with identity.database.system() as tx:
        assert await tx.scalar(sql("SELECT ends_at FROM sessions WHERE id = :id"), {"id": there.session_id}) == end


async def test_the_twenty_first_session_ends_the_oldest_wherever_it_is(identity: Identity, company: Company) -> None:
    second = await identity.new_workspace(company.owner, "Second")
    oldest = await identity.login_browser(company.owner, second)
    ended = (await actor_of(identity, oldest.token)).session_id
    others = [await identity.login_browser(company.owner, company.id) for _ in range(MAX_SESSIONS - 4)]
    admin = await identity.login_browser(company.people[Role.ADMIN])

    at_once = await asyncio.gather(*(identity.login_browser(company.owner, company.id) for _ in range(4)))

    assert [await is_live(identity, item.token) for item in (oldest, admin)] == [False, True]
    assert all([await is_live(identity, item.token) for item in (*others, *at_once)])
    assert await actions(identity, second, ended) == [("session.started", None), ("session.ended", "too_many")]
    await identity.login(company.owner)
    assert not await is_live(identity, others[0].token)
