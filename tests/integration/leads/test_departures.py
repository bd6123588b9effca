"""Leads and views of a removed member."""

from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.identity import queries as identity_queries
from leadflood.domains.identity.errors import InvalidCredentials, InvalidToken, LastOwner, MemberNotFound
from leadflood.domains.identity.service import access
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import jobs as lead_jobs
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.contracts.member_removal import RemovalImpact
from leadflood.domains.leads.contracts.views import CreateView, SavedView, UpdateView
from leadflood.domains.leads.errors import ViewNotOwned
from leadflood.domains.leads.events import RELEASE_LEADS
from leadflood.domains.leads.queries.views import list_views
from leadflood.domains.leads.service import member_removal, views
from leadflood.domains.leads.service.changesets import undo_changeset
from leadflood.kernel.actor import Actor, Role
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.identity.conftest import Company, new_company
from tests.support.identity import Identity
from tests.support.jobs import Jobs

EVENTS = sql("""
SELECT e.kind, e.actor_id, e.data FROM lead_events e JOIN leads l ON l.id = e.lead_id
WHERE e.workspace_id = :workspace_id AND l.email = :email ORDER BY e.id
""")
OWNERS = sql("SELECT owner_id, count(*) AS leads FROM leads WHERE workspace_id = :id GROUP BY 1 ORDER BY 2 DESC")


@pytest.fixture
def identity(database: Database, settings: Settings, secret_box: SecretBox) -> Identity:
    return Identity(database, settings, secret_box)


@pytest.fixture
async def company(identity: Identity) -> Company:
    return await new_company(identity)


async def give(identity: Identity, company: Company, owner: UUID, count: int) -> list[str]:
    """Leads of this owner, by address."""
    emails = [f"l{new_id().hex}@lead.test" for _ in range(count)]
    actor = Actor.cli(company.id)
    async with identity.database.transaction(company.id) as tx:
        for email in emails:
            command = CreateLead.model_validate({"email": email, "ownerId": str(owner)})
            await leads.create_lead(tx, actor, command=command, trace={})
    return emails


async def save(identity: Identity, actor: Actor, name: str, *, shared: bool) -> SavedView:
    async with identity.database.transaction(actor.workspace_id) as tx:
        return await views.create_view(tx, actor, command=CreateView(name=name, shared=shared))


async def seen(identity: Identity, actor: Actor) -> dict[str, SavedView]:
    async with identity.database.transaction(actor.workspace_id) as tx:
        return {view.name: view for view in await list_views(tx, actor)}


async def remove(identity: Identity, actor: Actor, user_id: UUID) -> RemovalImpact:
    async with identity.database.transaction(actor.workspace_id) as tx:
        return await member_removal.remove_member(tx, actor, user_id=user_id, trace={})


async def owners(identity: Identity, company: Company) -> dict[UUID | None, int]:
    async with identity.database.transaction(company.id) as tx:
        return {row.owner_id: row.leads for row in await tx.all(OWNERS, {"id": company.id})}


async def test_leads_become_unassigned_with_an_entry_each_and_get_their_owner_back_by_undo(
    identity: Identity, company: Company
) -> None:
    member = company.people[Role.MEMBER]
    owner = await identity.actor(company.owner)
    (email, *_) = await give(identity, company, member.id, 3)
    await give(identity, company, company.owner.id, 1)
    async with identity.database.transaction(company.id) as tx:
        assert (await member_removal.removal_impact(tx, owner, user_id=member.id)).leads == 3

    left = await remove(identity, owner, member.id)

    assert left.leads == 3
    assert left.changeset_id is not None
    assert await owners(identity, company) == {None: 3, company.owner.id: 1}
    async with identity.database.transaction(company.id) as tx:
        entry = (await tx.all(EVENTS, {"workspace_id": company.id, "email": email}))[-1]
        log = await identity_queries.list_audit_events(tx, owner, action="member.removed", limit=5)
    assert (entry.kind, entry.actor_id) == ("lead.changed", company.owner.id)
    assert entry.data["changes"] == {"owner_id": [str(member.id), None]}
    assert log.items[0].data == {
        "role": "member",
        "sharedViews": 0,
        "leads": 3,
        "changesetId": str(left.changeset_id),
    }
    await identity.add(company.id, member, Role.VIEWER)
    async with identity.database.transaction(company.id) as tx:
        await undo_changeset(tx, owner, LEAD_PARTICIPANTS, changeset_id=left.changeset_id, trace={})
    assert await owners(identity, company) == {member.id: 3, company.owner.id: 1}


async def test_shared_views_pass_to_the_workspace_and_others_go(identity: Identity, company: Company) -> None:
    member, second = company.people[Role.MEMBER], await identity.new_member(company.id, Role.MEMBER)
    owner, admin = await identity.actor(company.owner), await identity.actor(company.people[Role.ADMIN])
    leaving, other = await identity.actor(member), await identity.actor(second)
    await save(identity, leaving, "Shared", shared=True)
    await save(identity, leaving, "Private", shared=False)
    await save(identity, owner, "Own", shared=False)

    left = await remove(identity, admin, member.id)

    assert (left.shared_views, left.leads, left.changeset_id) == (1, 0, None)
    assert list(await seen(identity, owner)) == ["Own", "Shared"]
    shown = (await seen(identity, other))["Shared"]
    assert (shown.user_id, shown.mine, (await seen(identity, admin))["Shared"].mine) == (None, False, True)
    change = UpdateView(name="Ours")
    async with identity.database.transaction(company.id) as tx:
        await views.update_view(tx, admin, view_id=shown.id, command=change, expected_version=shown.version)
    with pytest.raises(ViewNotOwned):
        async with identity.database.transaction(company.id) as tx:
            await views.delete_view(tx, other, view_id=shown.id, expected_version=shown.version + 1)
    heir = await identity.new_member(company.id, Role.OWNER)
    assert (await remove(identity, await identity.actor(heir), company.owner.id)).shared_views == 1
    assert list(await seen(identity, other)) == ["Ours"]


async def test_many_leads_are_left_to_a_job_while_all_access_ends_at_once(
    identity: Identity, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_removal, "MAX_DIRECT", 2)
    member = company.people[Role.ADMIN]
    owner = await identity.actor(company.owner)
    tokens = await identity.login(member)
    (email, *_) = await give(identity, company, member.id, 5)

    left = await remove(identity, owner, member.id)

    with pytest.raises(InvalidToken):
        await access.authenticate(identity.database, tokens.access_token)
    with pytest.raises(InvalidCredentials):
        await identity.login(member)
    with pytest.raises(MemberNotFound):
        await remove(identity, owner, member.id)
    assert (await owners(identity, company))[member.id] == 5
    query = sql("SELECT id FROM job_executions WHERE workspace_id = :id AND kind = :kind")
    async with identity.database.transaction(company.id) as tx:
        job_id = await tx.scalar(query, {"id": company.id, "kind": RELEASE_LEADS.name})
    registry = JobRegistry(lead_jobs.definitions(identity.database, LEAD_PARTICIPANTS, retention_days=30))
    job = await Jobs(identity.database, company.id, RELEASE_LEADS).attempt(registry, job_id)

    assert (job.status, left.leads) == ("completed", 5)
    assert await owners(identity, company) == {None: 5}
    async with identity.database.transaction(company.id) as tx:
        entry = (await tx.all(EVENTS, {"workspace_id": company.id, "email": email}))[-1]
        gone = await tx.scalar(sql("SELECT count(*) FROM memberships WHERE user_id = :id"), {"id": member.id})
    assert (entry.kind, gone) == ("lead.changed", 0)


async def test_who_joins_again_before_the_job_stays(
    identity: Identity, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_removal, "MAX_DIRECT", 0)
    member = company.people[Role.MEMBER]
    await give(identity, company, member.id, 1)
    await remove(identity, await identity.actor(company.owner), member.id)
    await identity.add(company.id, member, Role.VIEWER)

    query = sql("SELECT id FROM job_executions WHERE workspace_id = :id AND kind = :kind")
    async with identity.database.transaction(company.id) as tx:
        job_id = await tx.scalar(query, {"id": company.id, "kind": RELEASE_LEADS.name})
    registry = JobRegistry(lead_jobs.definitions(identity.database, LEAD_PARTICIPANTS, retention_days=30))
    await Jobs(identity.database, company.id, RELEASE_LEADS).attempt(registry, job_id)

    assert (await identity.login(member)).workspace.role is Role.VIEWER
    assert await owners(identity, company) == {None: 1}


async def test_a_removal_that_is_refused_changes_nothing(identity: Identity, company: Company) -> None:
    owner = await identity.actor(company.owner)
    await give(identity, company, company.owner.id, 2)

    with pytest.raises(LastOwner):
        await remove(identity, owner, company.owner.id)

    assert await owners(identity, company) == {company.owner.id: 2}
