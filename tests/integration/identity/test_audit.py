"""The audit log, and that no secret reaches it, any table, or a log line."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AuditEventView, ChangeRole, CreateApiKey, RenameWorkspace
from leadflood.domains.identity.errors import InvalidCredentials, InvalidToken, SessionNotFound
from leadflood.domains.identity.service import (
    access,
    administration,
    api_keys,
    audit,
    members,
    sessions,
    signin,
    workspaces,
)
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import SYSTEM_WORKSPACE_ID, new_id
from leadflood.kernel.pagination import Page
from tests.conftest import DATABASE
from tests.integration.identity.conftest import Company
from tests.support.identity import CLI, Identity, Person
from tests.support.postgres import Cluster

CANARIES = ("canary warbles at dawn", "canary warbles at dusk", "canary warbles at noon")


async def events(identity: Identity, workspace_id: UUID, **filters: object) -> Page[AuditEventView]:
    async with identity.database.transaction(workspace_id) as tx:
        page = {"limit": 50, **filters}
        return await queries.list_audit_events(tx, Actor.cli(workspace_id), **page)  # type: ignore[arg-type]


async def live_through(identity: Identity, company: Company) -> list[str]:
    """Do everything that is audited once, as the owner, and return every secret that was seen."""
    first, second, third = CANARIES
    await administration.set_password(identity.database, CLI, email=company.owner.email, password=first)
    person = Person(company.owner.id, company.owner.email, first)
    with pytest.raises(InvalidCredentials):
        await identity.login(person, password=third)
    logins = [await identity.login(person) for _ in range(3)]
    renewed = await signin.refresh(identity.database, identity.settings, refresh_token=logins[2].refresh_token)
    with pytest.raises(InvalidToken):
        await signin.refresh(identity.database, identity.settings, refresh_token=logins[2].refresh_token)
    here, there = [(await access.authenticate(identity.database, login.access_token)).actor for login in logins[:2]]
    here = here.for_request("req-1")
    member = company.people[Role.MEMBER].id
    async with identity.database.transaction(company.id) as tx:
        await sessions.end_session(tx, here, session_id=there.session_id or new_id())
        await workspaces.rename_workspace(tx, here, change=RenameWorkspace.model_validate({"name": "New"}))
        admin = ChangeRole.model_validate({"role": "admin"})
        await members.change_role(tx, here, user_id=member, change=admin)
        await members.remove_member(tx, here, user_id=member)
        key = CreateApiKey.model_validate({"name": "Robot", "scopes": ["leads:read"]})
        created = await api_keys.create_api_key(tx, here, key=key)
        await api_keys.revoke_api_key(tx, here, key_id=created.api_key.id)
    await identity.change_password(here, first, second)
    async with identity.database.transaction(company.id) as tx:
        await sessions.logout(tx, here)
    tokens = [token for item in (*logins, renewed) for token in (item.access_token, item.refresh_token)]
    return [*CANARIES, *tokens, created.token]


async def test_every_privileged_change_is_audited_with_who_did_it(identity: Identity, company: Company) -> None:
    await live_through(identity, company)

    log = (await events(identity, company.id)).items

    own = [event.action for event in reversed(log) if event.actor.id == company.owner.id]
    assert own == [
        "session.started",
        "session.started",
        "session.started",
        "session.ended",
        "workspace.renamed",
        "member.role_changed",
        "member.removed",
        "api_key.created",
        "api_key.revoked",
        "password.changed",
        "session.ended",
    ]
    others = [(event.action, event.actor.kind.value) for event in reversed(log) if event.actor.id is None]
    assert others == [
        ("workspace.created", "cli"),
        *[("member.added", "cli")] * 3,
        ("password.set", "cli"),
        ("session.ended", "system"),
    ]
    created = next(event for event in log if event.action == "api_key.created")
    assert (created.request_id, created.data) == ("req-1", {"name": "Robot", "scopes": ["leads:read"]})


async def test_no_password_and_no_token_is_stored_or_logged(
    identity: Identity,
    company: Company,
    cluster: Cluster,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as entries:
        secrets = await live_through(identity, company)
    said = "\n".join([str(entries), caplog.text, *capfd.readouterr()])
    forms = [form for secret in secrets for form in (secret, secret.encode().hex(), secret[-38:])]

    assert "users" in tables_with(cluster, [company.owner.email]), "the search must be able to find something"
    assert "identity.login_failed" in said
    assert company.owner.email not in said
    assert tables_with(cluster, forms) == []
    assert [form for form in forms if form in said] == []


def tables_with(cluster: Cluster, texts: Sequence[str]) -> list[str]:
    """The tables that hold one of these texts anywhere in a row. PostgreSQL looks: all rows are too much to fetch."""
    tables = cluster.run(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'leadflood'::regnamespace", DATABASE
    ).split()
    search = """
    SELECT count(*) FROM leadflood.:"table" AS t, unnest(string_to_array(:'texts', chr(10))) AS sought (secret)
    WHERE strpos(t::text, sought.secret) > 0
    """
    return [
        table for table in tables if cluster.run(search, DATABASE, table=table, texts="\n".join(texts)).strip() != "0"
    ]


async def test_an_event_and_its_change_are_one(identity: Identity, company: Company) -> None:
    owner = await identity.actor(company.owner)

    async def rename_and_fail() -> None:
        async with identity.database.transaction(company.id) as tx:
            await workspaces.rename_workspace(tx, owner, change=RenameWorkspace.model_validate({"name": "New"}))
            await sessions.end_session(tx, owner, session_id=new_id())

    with pytest.raises(SessionNotFound):
        await rename_and_fail()

    assert (await events(identity, company.id, action="workspace.renamed")).items == []


async def test_the_log_is_filtered_and_paged(identity: Identity, company: Company) -> None:
    actors = [await identity.actor(company.people[role]) for role in (Role.OWNER, Role.ADMIN)]
    subject = new_id()
    for actor in actors:
        async with identity.database.transaction(company.id) as tx:
            for number in range(3):
                await audit.record(
                    tx, actor, action="job.cancelled", subject_type="job", subject_id=subject, data={"number": number}
                )

    by_owner = await events(identity, company.id, action="job.cancelled", actor_id=company.owner.id)
    first = await events(identity, company.id, subject_id=subject, limit=4)
    rest = await events(identity, company.id, subject_id=subject, limit=4, after=first.after)
    newest, oldest = first.items[0].at, rest.items[-1].at

    assert [event.data["number"] for event in by_owner.items] == [2, 1, 0]
    assert [event.data["number"] for event in (*first.items, *rest.items)] == [2, 1, 0, 2, 1, 0]
    assert rest.after is None
    later = await events(identity, company.id, subject_id=subject, since=newest)
    assert len(later.items) == 3
    assert (await events(identity, company.id, subject_id=subject, until=oldest)).items == []
    assert (await events(identity, company.id, subject_id=subject, until=newest + timedelta(seconds=1))).items


async def test_actions_are_filtered_by_how_they_begin(identity: Identity, company: Company) -> None:
    owner = await identity.actor(company.owner)
    names = ["job.cancelled", "job.retried", "job_event.seen", "jobs.seen", "zebra.fed"]
    async with identity.database.transaction(company.id) as tx:
        for action in names:
            await audit.record(tx, owner, action=action, subject_type="job")

    async def begins(action: str) -> list[str]:
        return sorted(event.action for event in (await events(identity, company.id, action=action)).items)

    assert await begins("job.") == ["job.cancelled", "job.retried"]
    assert await begins("job") == sorted(names[:4])
    assert await begins("job.retried") == ["job.retried"]
    assert await begins("zebra.fed") == ["zebra.fed"]
    assert await begins("job%") == []
    assert await begins("nothing") == []


async def test_events_of_one_moment_are_paged_without_loss(identity: Identity, company: Company) -> None:
    owner = await identity.actor(company.owner)
    async with identity.database.transaction(company.id) as tx:
        for number in range(7):
            await audit.record(tx, owner, action="toy.made", subject_type="toy", data={"number": number})
    seen: list[object] = []
    after = None
    while not seen or after is not None:
        page = await events(identity, company.id, action="toy.", limit=2, after=after)
        seen += [event.data["number"] for event in page.items]
        after = page.after

    assert seen == [6, 5, 4, 3, 2, 1, 0]


async def test_nobody_can_change_or_delete_the_log(identity: Identity, company: Company, cluster: Cluster) -> None:
    rights = cluster.run(
        "SELECT string_agg(DISTINCT privilege_type, ' ' ORDER BY privilege_type)"
        " FROM information_schema.role_table_grants"
        " WHERE table_name = 'audit_events' AND grantee IN ('leadflood_app', 'leadflood_system')",
        DATABASE,
    )

    assert rights == "INSERT SELECT"


async def test_old_events_are_removed_by_retention_and_younger_ones_never(
    identity: Identity, company: Company, cluster: Cluster
) -> None:
    aged_events = (
        "INSERT INTO leadflood.audit_events (workspace_id, id, at, actor_kind, action, subject_type) "
        "SELECT id, gen_random_uuid(), now() - make_interval(days => days), 'cli', action, 'x' "
        "FROM leadflood.workspaces, (VALUES ('aged.old', 800), ('aged.kept', 700), ('aged.recent', 89)) "
        "a (action, days) WHERE id = :'workspace'"
    )
    cluster.run(aged_events, DATABASE, workspace=str(company.id))

    async def aged() -> list[str]:
        return sorted(event.action for event in (await events(identity, company.id, action="aged.")).items)

    assert await audit.purge(identity.database, days=730, limit=1000) >= 1
    assert await aged() == ["aged.kept", "aged.recent"]
    assert await audit.purge(identity.database, days=1, limit=1000) >= 1
    assert await aged() == ["aged.recent"]

    log = (await events(identity, SYSTEM_WORKSPACE_ID, action="audit.purged")).items
    assert log[0].data["olderThanDays"] == 1
    with pytest.raises(asyncpg.PostgresError, match="permission denied"):
        async with identity.database.system() as tx:
            await tx.execute(sql("DELETE FROM audit_events"))
