"""Merging and splitting companies, and the undo of both. Leads follow in the same transaction."""

from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.companies import queries
from leadflood.domains.companies.contracts import CompanyMergeView, MergeCompany, SplitCompany
from leadflood.domains.companies.errors import (
    CompanyMergedIntoItself,
    CompanyMergeNotFound,
    CompanyMergeNotUndoable,
    CompanyNotFound,
    SplitOfEverything,
    TooManyDomains,
    UnknownCompany,
    UnknownDomain,
)
from leadflood.domains.companies.events import (
    COMPANY_MERGE_UNDONE,
    COMPANY_MERGED,
    COMPANY_SPLIT,
    CompanyAuditAction,
    CompanyEventKind,
    CompanyMergeData,
)
from leadflood.domains.companies.models import MAX_DOMAINS, CompanySource, MergeKind
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.service import record_audit, record_created
from leadflood.domains.companies.store import merging as store
from leadflood.domains.companies.timeline import TIMELINE
from leadflood.domains.jobs.publishing import publish
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event


async def merge_companies(
    tx: Transaction, actor: Actor, *, company_id: UUID, command: MergeCompany
) -> CompanyMergeView:
    """Make another company part of this one: its domains and leads move, and its name if this one has none.

    Raises: CompanyNotFound, UnknownCompany, CompanyMergedIntoItself, TooManyDomains.
    """
    actor.require(COMPANIES_WRITE)
    other_id, workspace_id = command.other_id, actor.workspace_id
    if other_id == company_id:
        raise CompanyMergedIntoItself
    locked = await store.lock_companies(tx, workspace_id, [company_id, other_id])
    survivor, other = _active(locked, company_id), locked.get(other_id)
    if other is None or other.deleted_at is not None or other.merged_into is not None:
        raise UnknownCompany("/otherId")
    own, moved = [await store.lock_domains(tx, workspace_id, each) for each in (company_id, other_id)]
    if len(own) + len(moved) > MAX_DOMAINS:
        raise TooManyDomains(MAX_DOMAINS)
    pinned = await store.pinned_leads(tx, workspace_id, other_id)
    count = await store.move(tx, workspace_id, from_id=other_id, to_id=company_id, domains=moved, pinned=pinned)
    expect_changed(await store.set_merged(tx, workspace_id, other_id, company_id))
    took_name = survivor.name is None and other.name is not None
    expect_changed(
        await store.set_title(tx, workspace_id, company_id, name=survivor.name or other.name, domain=survivor.domain)
    )
    record = store.NewMerge(MergeKind.MERGE, company_id, other_id, moved, pinned, took_name=took_name)
    merge_id = await store.record_merge(tx, workspace_id, record)
    data: dict[str, JsonValue] = {"mergeId": str(merge_id), "domains": [*moved], "leads": count}
    await _record(tx, actor, CompanyEventKind.MERGED, company_id, {**data, **_other(other)})
    await _record(tx, actor, CompanyEventKind.MERGED_INTO, other_id, {**data, **_other(survivor)})
    await publish(tx, COMPANY_MERGED, [_event(actor, company_id, merge_id, other_id)])
    await record_audit(tx, actor, CompanyAuditAction.MERGED, company_id, {"otherId": str(other_id), **data})
    return await queries.get_merge(tx, actor, merge_id=merge_id)


async def split_company(tx: Transaction, actor: Actor, *, company_id: UUID, command: SplitCompany) -> CompanyMergeView:
    """Make domains of a company a company of their own. The leads that belong to it by them follow; chosen ones stay.

    Raises: CompanyNotFound, UnknownDomain, SplitOfEverything.
    """
    actor.require(COMPANIES_WRITE)
    workspace_id, domains = actor.workspace_id, list(dict.fromkeys(command.domains))
    stored = _active(await store.lock_companies(tx, workspace_id, [company_id]), company_id)
    own = await store.lock_domains(tx, workspace_id, company_id)
    if not set(domains) <= set(own):
        raise UnknownDomain("/domains")
    left = [domain for domain in own if domain not in domains]
    if not left:
        raise SplitOfEverything
    other_id = await store.insert_split(tx, workspace_id, domain=domains[0], name=command.name)
    count = await store.move(tx, workspace_id, from_id=company_id, to_id=other_id, domains=domains, pinned=())
    was_main = stored.domain in domains
    main = left[0] if was_main else stored.domain
    expect_changed(await store.set_title(tx, workspace_id, company_id, name=stored.name, domain=main))
    record = store.NewMerge(MergeKind.SPLIT, company_id, other_id, domains, was_main=was_main)
    merge_id = await store.record_merge(tx, workspace_id, record)
    data: dict[str, JsonValue] = {"mergeId": str(merge_id), "domains": [*domains], "leads": count}
    other: dict[str, JsonValue] = {"otherId": str(other_id), "other": command.name or domains[0]}
    await record_created(tx, actor, [other_id], CompanySource.SPLIT)
    await _record(tx, actor, CompanyEventKind.SPLIT, company_id, {**data, **other})
    await publish(tx, COMPANY_SPLIT, [_event(actor, company_id, merge_id, other_id)])
    await record_audit(tx, actor, CompanyAuditAction.SPLIT, company_id, {"otherId": str(other_id), **data})
    return await queries.get_merge(tx, actor, merge_id=merge_id)


async def undo_merge(tx: Transaction, actor: Actor, *, merge_id: UUID) -> CompanyMergeView:
    """Undo a merge or split; one that is undone stays so. What was changed since then stays.

    After a merge, the other company gets back those of its domains that the survivor still has, with their leads. After
    a split, everything of the other company returns.

    Raises: CompanyMergeNotFound, CompanyMergeNotUndoable.
    """
    actor.require(COMPANIES_WRITE)
    merge = await store.lock_merge(tx, actor.workspace_id, merge_id)
    if merge is None:
        raise CompanyMergeNotFound
    if merge.undone_at is None:
        locked = await store.lock_companies(tx, actor.workspace_id, [merge.company_id, merge.other_id])
        company, other = locked[merge.company_id], locked[merge.other_id]
        if company.deleted_at is not None or company.merged_into is not None:
            raise CompanyMergeNotUndoable("The company was deleted or merged into another one since.")
        undo = _unmerge if merge.kind == MergeKind.MERGE else _rejoin
        await undo(tx, actor, merge, company, other)
        expect_changed(await store.set_undone(tx, actor.workspace_id, merge_id))
        data: dict[str, JsonValue] = {"mergeId": str(merge_id), "kind": merge.kind}
        await _record(tx, actor, CompanyEventKind.UNDONE, company.id, {**data, **_other(other)})
        await _record(tx, actor, CompanyEventKind.UNDONE, other.id, {**data, **_other(company)})
        await publish(tx, COMPANY_MERGE_UNDONE, [_event(actor, company.id, merge_id, other.id)])
        await record_audit(tx, actor, CompanyAuditAction.UNDONE, company.id, {"otherId": str(other.id), **data})
    return await queries.get_merge(tx, actor, merge_id=merge_id)


async def _unmerge(tx: Transaction, actor: Actor, merge: Row, survivor: Row, other: Row) -> None:
    """Make the other company one of its own again."""
    workspace_id = actor.workspace_id
    own = await store.lock_domains(tx, workspace_id, survivor.id)
    returned = [domain for domain in merge.domains if domain in own]
    if other.domain not in returned:
        raise CompanyMergeNotUndoable(f"The domain {other.domain} no longer belongs to the merged company.")
    left = [domain for domain in own if domain not in returned]
    if not left:
        raise CompanyMergeNotUndoable("No domain would be left for the company.")
    expect_changed(await store.set_merged(tx, workspace_id, other.id, None))
    await store.move(tx, workspace_id, from_id=survivor.id, to_id=other.id, domains=returned, pinned=merge.pinned_leads)
    name = None if merge.took_name and survivor.name == other.name else survivor.name
    main = survivor.domain if survivor.domain in left else left[0]
    expect_changed(await store.set_title(tx, workspace_id, survivor.id, name=name, domain=main))


async def _rejoin(tx: Transaction, actor: Actor, merge: Row, company: Row, other: Row) -> None:
    """Move everything of the company that was split off back."""
    workspace_id = actor.workspace_id
    if other.deleted_at is not None or other.merged_into is not None:
        raise CompanyMergeNotUndoable("The company that was split off was deleted or merged since.")
    moved = await store.lock_domains(tx, workspace_id, other.id)
    pinned = await store.pinned_leads(tx, workspace_id, other.id)
    await store.move(tx, workspace_id, from_id=other.id, to_id=company.id, domains=moved, pinned=pinned)
    expect_changed(await store.set_merged(tx, workspace_id, other.id, company.id))
    if merge.was_main and other.domain in moved:
        expect_changed(await store.set_title(tx, workspace_id, company.id, name=company.name, domain=other.domain))


def _active(locked: dict[UUID, Row], company_id: UUID) -> Row:
    found = locked.get(company_id)
    if found is None or found.deleted_at is not None:
        raise CompanyNotFound
    if found.merged_into is not None:
        raise CompanyNotFound(found.merged_into)
    return found


def _other(company: Row) -> dict[str, JsonValue]:
    return {"otherId": str(company.id), "other": company.name or company.domain}


def _event(actor: Actor, company_id: UUID, merge_id: UUID, other_id: UUID) -> Event[CompanyMergeData]:
    return Event(company_id, CompanyMergeData(merge_id=merge_id, other_id=other_id), actor)


async def _record(
    tx: Transaction, actor: Actor, kind: CompanyEventKind, company_id: UUID, entry: dict[str, JsonValue]
) -> None:
    await TIMELINE.record(tx, actor, kind=kind, entries={company_id: entry})
