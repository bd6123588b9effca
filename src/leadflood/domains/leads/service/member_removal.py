"""Leads and views of a removed member.

Shared views stay, as the workspace's. Leads lose their owner by a changeset, with an entry in each timeline. Where they
are many, the member loses all access immediately, and a job clears the owners and then deletes the membership.
"""

from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.permissions import MEMBERS_WRITE
from leadflood.domains.identity.service import members
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.contracts.member_removal import RemovalImpact
from leadflood.domains.leads.events import RELEASE_LEADS, LeadAuditAction, ReleaseLeads
from leadflood.domains.leads.models import ChangesetKind
from leadflood.domains.leads.queries.changesets import get_changeset
from leadflood.domains.leads.queries.search import count_leads
from leadflood.domains.leads.queries.views import count_shared
from leadflood.domains.leads.service.bulk import change_more
from leadflood.domains.leads.service.changesets import open_changeset, record
from leadflood.domains.leads.store import changesets
from leadflood.domains.leads.store import views as view_store
from leadflood.kernel.actor import Actor
from leadflood.kernel.changesets import MAX_DIRECT
from leadflood.kernel.db.transaction import Transaction

_MAX_COUNT = 1_000_000_000


async def removal_impact(tx: Transaction, actor: Actor, *, user_id: UUID) -> RemovalImpact:
    """The effects that `remove_member` would have now."""
    leads = await count_leads(tx, actor, filters=LeadFilter(owner_id=user_id), max_count=_MAX_COUNT)
    shared = await count_shared(tx, actor, user_id=user_id)
    return RemovalImpact(shared_views=shared, leads=leads.value, changeset_id=None)


async def remove_member(tx: Transaction, actor: Actor, *, user_id: UUID, trace: Mapping[str, str]) -> RemovalImpact:
    """Remove a member, or leave; transfer shared views and clear the owner of leads.

    Raises: MemberNotFound, LastOwner, OwnerRoleRequired, Unauthenticated, Unavailable.
    """
    actor.require(MEMBERS_WRITE)
    await members.lock(tx, actor)
    owned = (await removal_impact(tx, actor, user_id=user_id)).leads
    views = await view_store.pass_on(tx, actor.workspace_id, user_id)
    changeset_id = await _release(tx, actor, user_id, owned, trace) if owned else None
    left: dict[str, JsonValue] = {"sharedViews": views, "leads": owned}
    if changeset_id is not None:
        left["changesetId"] = str(changeset_id)
    await members.remove_member(tx, actor, user_id=user_id, immediately=owned <= MAX_DIRECT, left=left)
    return RemovalImpact(shared_views=views, leads=owned, changeset_id=changeset_id)


async def _release(tx: Transaction, actor: Actor, user_id: UUID, owned: int, trace: Mapping[str, str]) -> UUID:
    wanted = {"ownerId": str(user_id)}
    change = {"action": "set", "changes": {"ownerId": None}, "matching": wanted, "expectedCount": owned}
    command = BulkChange.model_validate(change)
    changeset_id = await open_changeset(
        tx,
        actor,
        kind=ChangesetKind.BULK,
        label="Unassign leads of a removed member",
        wanted=owned,
        request=command.model_dump(mode="json", by_alias=True, exclude_unset=True),
    )
    if owned > MAX_DIRECT:
        job = NewJob(RELEASE_LEADS, ReleaseLeads(changeset_id=changeset_id, user_id=user_id), changeset_id, trace)
        (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
        await changesets.set_job(tx, actor.workspace_id, changeset_id, job_id)
    else:
        while await change_more(tx, actor, changeset_id=changeset_id, trace=trace):
            pass
    made = await get_changeset(tx, actor, changeset_id=changeset_id)
    await record(tx, actor, LeadAuditAction.UPDATED, made, count=owned)
    return changeset_id
