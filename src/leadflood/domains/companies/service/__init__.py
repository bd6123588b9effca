"""Verbs on companies."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.companies import queries, store
from leadflood.domains.companies.contracts import CompanyLink, CompanyView, CreateCompany, LinkedLeads, UpdateCompany
from leadflood.domains.companies.errors import (
    CompanyNotFound,
    CompanyVersionConflict,
    DuplicateCompany,
    UnknownDomain,
)
from leadflood.domains.companies.events import (
    COMPANY,
    COMPANY_CREATED,
    COMPANY_DELETED,
    COMPANY_RESTORED,
    COMPANY_UPDATED,
    LEAD_LINKED,
    CompanyAuditAction,
    CompanyCreatedData,
    CompanyData,
    CompanyEventKind,
)
from leadflood.domains.companies.models import CompanyKey, CompanySource, CompanyStatus, company_key
from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.companies.queries import links
from leadflood.domains.companies.store import merging, records
from leadflood.domains.companies.timeline import TIMELINE
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event

_NO_DATA: Final[Mapping[str, JsonValue]] = MappingProxyType({})

MAX_LINKED: Final = 500
"""Leads that are linked together."""
_WALKED: Final = 2000
"""Leads that are compared together."""
_BEFORE: Final = {
    CompanyStatus.PROVISIONAL: frozenset[CompanyStatus](),
    CompanyStatus.KNOWN: frozenset({CompanyStatus.PROVISIONAL, CompanyStatus.GONE}),
    CompanyStatus.GONE: frozenset({CompanyStatus.PROVISIONAL, CompanyStatus.KNOWN}),
}
"""The states from which each state can be reached."""


async def ensure(tx: Transaction, actor: Actor, *, locked: Collection[LeadDetails]) -> LinkedLeads:
    """Link leads to their companies, which are created where they are missing. Two statements, whatever the number.

    By the domain of the website, otherwise of the email, unless it is one of the public. Pinned leads keep their
    company. Idempotent. Writers that meet the same new domain create one company: the second waits for the first.

    `locked`: active leads that this transaction has locked, up to 500. Returns the company of each lead that has one
    which is not deleted. Publishes nothing: `relink` does.
    """
    keys = await _create_missing(tx, actor, locked)
    return await store.link(tx, actor.workspace_id, keys) if keys else LinkedLeads()


async def create_companies(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> None:
    """Lock those of the leads that are active, and create the companies that they lack. Links nothing.

    For jobs: others that meet the same new domains wait for this transaction, and not until the leads are linked. An
    erasure of the leads waits, too, and finds the companies by their domains.
    """
    locked = await leads.lock_leads(tx, actor, lead_ids=lead_ids)
    await _create_missing(tx, actor, locked.values())


async def _create_missing(
    tx: Transaction, actor: Actor, locked: Collection[LeadDetails]
) -> dict[UUID, CompanyKey | None]:
    """Create the companies that leads lack. Returns what names the company of each lead."""
    keys = {lead.id: company_key(website=lead.website, email_norm=lead.email_norm) for lead in locked}
    domains = {key.domain for key in keys.values() if key}
    if domains:
        created = await store.create_missing(tx, actor.workspace_id, domains, CompanySource.LEAD)
        await record_created(tx, actor, created, CompanySource.LEAD)
    return keys


async def relink(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> Mapping[UUID, CompanyLink]:
    """Lock those of the leads that are active, up to 500, and `ensure` their companies."""
    locked = await leads.lock_leads(tx, actor, lead_ids=lead_ids)
    linked = await ensure(tx, actor, locked=locked.values())
    await publish_linked(tx, actor, linked.changed)
    return linked.links


async def publish_linked(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> None:
    """Publish that the company of leads changed, in the order of their IDs."""
    await publish(tx, LEAD_LINKED, [Event(lead_id, CompanyData(), actor) for lead_id in sorted(lead_ids)])


async def create_more(tx: Transaction, actor: Actor, *, batch: int = _WALKED) -> None:
    """Create the companies that the next call of `relink_more` needs."""
    after_id = await store.progress(tx, actor.workspace_id)
    found = await links.linked_leads(tx, actor.workspace_id, after_id=after_id, limit=batch)
    await create_companies(tx, actor, lead_ids=_outdated(found))


async def relink_more(tx: Transaction, actor: Actor, *, batch: int = _WALKED) -> bool:
    """Link the next leads of the workspace whose link is missing or outdated. Returns whether there may be more.

    Continues where the last call ended, after the end from the start.
    """
    workspace_id = actor.workspace_id
    after_id = await store.progress(tx, workspace_id)
    found = await links.linked_leads(tx, workspace_id, after_id=after_id, limit=batch)
    outdated = _outdated(found)
    for start in range(0, len(outdated), MAX_LINKED):
        await relink(tx, actor, lead_ids=outdated[start : start + MAX_LINKED])
    more = len(found) == batch
    await store.set_progress(tx, workspace_id, found[-1].id if more else None)
    return more


def _outdated(found: Sequence[links.LinkedLead]) -> list[UUID]:
    return [
        lead.id
        for lead in found
        if not lead.pinned and company_key(website=lead.website, email_norm=lead.email_norm) != lead.key
    ]


async def create_company(tx: Transaction, actor: Actor, *, command: CreateCompany) -> CompanyView:
    """Create a company by its domain. Raises: DuplicateCompany: a company has the domain, perhaps a deleted one."""
    actor.require(COMPANIES_WRITE)
    created = await store.create_missing(tx, actor.workspace_id, [command.domain], CompanySource.PERSON)
    if not created:
        owner = (await queries.owners_of(tx, actor.workspace_id, [command.domain]))[command.domain]
        raise DuplicateCompany(command.domain, owner.company_id, deleted=owner.deleted)
    (company_id,) = created
    if command.name:
        await records.name_unnamed(tx, actor.workspace_id, {company_id: (command.name, command.domain)})
    await record_created(tx, actor, created, CompanySource.PERSON)
    await record_audit(tx, actor, CompanyAuditAction.CREATED, company_id, {"domain": command.domain})
    return await queries.get_company(tx, actor, company_id=company_id)


async def update_company(
    tx: Transaction, actor: Actor, *, company_id: UUID, command: UpdateCompany, expected_version: int
) -> CompanyView:
    """Change the name, or choose another of its domains as the main one. Without effect, the version stays.

    Raises: CompanyNotFound, CompanyVersionConflict, UnknownDomain.
    """
    actor.require(COMPANIES_WRITE)
    stored = await lock_active(tx, actor, company_id, expected_version)
    name = command.name if "name" in command.model_fields_set else stored.name
    domain = command.domain or stored.domain
    if domain != stored.domain and domain not in await merging.lock_domains(tx, actor.workspace_id, company_id):
        raise UnknownDomain("/domain")
    pairs = {"name": [stored.name, name], "domain": [stored.domain, domain]}
    changes: dict[str, JsonValue] = {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}
    if changes:
        expect_changed(
            await records.update(
                tx, actor.workspace_id, company_id, expected_version=stored.version, name=name, domain=domain
            )
        )
        await record_change(
            tx, actor, company_id, CompanyEventKind.CHANGED, CompanyAuditAction.CHANGED, {"changes": changes}
        )
    return await queries.get_company(tx, actor, company_id=company_id)


async def delete_company(
    tx: Transaction, actor: Actor, *, company_id: UUID, expected_version: int | None = None
) -> None:
    """Delete a company. Its leads belong to none then, and its domains create none, until it is restored or purged.

    Raises: CompanyNotFound, CompanyVersionConflict.
    """
    actor.require(COMPANIES_WRITE)
    await lock_active(tx, actor, company_id, expected_version)
    expect_changed(await records.set_deleted(tx, actor.workspace_id, company_id, deleted=True))
    await TIMELINE.record(tx, actor, kind=CompanyEventKind.DELETED, entries={company_id: {}})
    await publish(tx, COMPANY_DELETED, [Event(company_id, CompanyData(), actor)])
    await record_audit(tx, actor, CompanyAuditAction.DELETED, company_id)


async def restore_company(tx: Transaction, actor: Actor, *, company_id: UUID) -> CompanyView:
    """Restore a deleted company with its domains and leads; an active one stays as it is. Raises: CompanyNotFound."""
    actor.require(COMPANIES_WRITE)
    stored = (await merging.lock_companies(tx, actor.workspace_id, [company_id])).get(company_id)
    if stored is not None and stored.deleted_at is not None:
        expect_changed(await records.set_deleted(tx, actor.workspace_id, company_id, deleted=False))
        await TIMELINE.record(tx, actor, kind=CompanyEventKind.RESTORED, entries={company_id: {}})
        await publish(tx, COMPANY_RESTORED, [Event(company_id, CompanyData(), actor)])
        await record_audit(tx, actor, CompanyAuditAction.RESTORED, company_id)
    return await queries.get_company(tx, actor, company_id=company_id)


async def lock_active(tx: Transaction, actor: Actor, company_id: UUID, expected_version: int | None = None) -> Row:
    """An active company, locked for this transaction. Raises: CompanyNotFound, CompanyVersionConflict."""
    stored = (await merging.lock_companies(tx, actor.workspace_id, [company_id])).get(company_id)
    if stored is None or stored.deleted_at is not None:
        raise CompanyNotFound
    if stored.merged_into is not None:
        raise CompanyNotFound(stored.merged_into)
    if expected_version is not None and stored.version != expected_version:
        raise CompanyVersionConflict(stored.version)
    return stored


async def lock_any(tx: Transaction, actor: Actor, *, company_ids: Collection[UUID]) -> set[UUID]:
    """Lock companies in any state, in the order of their IDs. Returns those that exist."""
    return set(await merging.lock_companies(tx, actor.workspace_id, company_ids)) if company_ids else set()


async def record_change(
    tx: Transaction,
    actor: Actor,
    company_id: UUID,
    kind: CompanyEventKind,
    action: CompanyAuditAction,
    entry: Mapping[str, JsonValue],
) -> None:
    """Record a change of a company in its timeline, as an event and in the audit log."""
    await TIMELINE.record(tx, actor, kind=kind, entries={company_id: entry})
    await publish(tx, COMPANY_UPDATED, [Event(company_id, CompanyData(), actor)])
    await record_audit(tx, actor, action, company_id, entry)


async def record_audit(
    tx: Transaction,
    actor: Actor,
    action: str,
    company_id: UUID,
    data: Mapping[str, JsonValue] = _NO_DATA,
) -> None:
    """Record what happened to one company in the audit log."""
    values: dict[str, JsonValue] = {"count": 1, **data}
    await audit.record(tx, actor, action=action, subject_type=COMPANY, subject_id=company_id, data=values)


@dataclass(frozen=True, slots=True)
class LockedCompany:
    """A company that is locked: its ID, main domain and name, None where it has none."""

    id: UUID
    domain: str
    name: str | None


async def lock_if_active(tx: Transaction, actor: Actor, *, company_id: UUID) -> LockedCompany | None:
    """An active company, locked for this transaction; None for one that is deleted or merged."""
    try:
        stored = await lock_active(tx, actor, company_id)
    except CompanyNotFound:
        return None
    return LockedCompany(stored.id, stored.domain, stored.name)


async def await_links(tx: Transaction, actor: Actor, *, company_id: UUID) -> None:
    """Wait until transactions that link leads to a company have ended. New links wait for this one."""
    await merging.lock_domains(tx, actor.workspace_id, company_id)


async def stop_links(tx: Transaction, actor: Actor, *, company_ids: Collection[UUID]) -> bool:
    """Let new links to locked companies wait until this transaction ends. Returns whether no other one links to them.

    It does not wait: those who link have locked leads, which this transaction may lock next.
    """
    return await merging.try_lock_domains(tx, actor.workspace_id, company_ids)


async def set_status(
    tx: Transaction, actor: Actor, *, company_ids: Collection[UUID], status: CompanyStatus
) -> list[UUID]:
    """Record that companies are `known` or `gone`. Returns those that changed; others are so already."""
    return await store.transition(tx, actor.workspace_id, company_ids, expected=_BEFORE[status], status=status)


async def record_created(tx: Transaction, actor: Actor, company_ids: Sequence[UUID], source: CompanySource) -> None:
    """Record new companies in their timelines and as events."""
    if company_ids:
        entry = {"source": source}
        await TIMELINE.record(tx, actor, kind=CompanyEventKind.CREATED, entries=dict.fromkeys(company_ids, entry))
        data = CompanyCreatedData(source=source)
        await publish(tx, COMPANY_CREATED, [Event(company_id, data, actor) for company_id in company_ids])
