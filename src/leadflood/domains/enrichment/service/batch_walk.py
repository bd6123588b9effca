"""The walk through the leads or companies of a batch: what is next, what is skipped, and what has ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from leadflood.domains.companies import queries as company_queries
from leadflood.domains.companies.models import company_key
from leadflood.domains.companies.queries import links
from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.domains.enrichment.models.batches import (
    ALREADY_KNOWN,
    COMPANY_WINDOW,
    GONE,
    UNDER_WAY,
    WINDOW,
    BatchStatus,
    BatchSubject,
    Outcome,
    Settled,
    Survey,
)
from leadflood.domains.enrichment.models.company_runs import CompanyRunState, plan_of
from leadflood.domains.enrichment.models.sources import Source
from leadflood.domains.enrichment.queries.companies import fresh_companies
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.enrichment.store import batches as store
from leadflood.domains.enrichment.store.batches import EndedItem, EnrichmentBatch
from leadflood.domains.jobs.models import JobStatus, RunningJob
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadQuery, LeadSort
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.domains.leads.queries import next_leads
from leadflood.domains.spending import service as spending
from leadflood.domains.spending.models import BudgetState
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.pagination import Position
from leadflood.kernel.queue.ports import Priority

_NOT_COMPLETE: Final = frozenset({CompanyRunState.PARTIAL, CompanyRunState.FAILED, CompanyRunState.CANCELED})


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a batch after a step.

    Attributes:
        ended: nothing is left to do.
        idle: it waits for what is under way.
        again: only runs that follow later are left; the time of the first.
    """

    done: int
    total: int
    ended: bool
    idle: bool = False
    again: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Leads:
    """The next leads of a batch, and the position after them; None at the end."""

    ids: Sequence[UUID]
    position: dict[str, Any] | None


async def advance(
    tx: Transaction, actor: Actor, *, batch_id: UUID, job: RunningJob, sources: Sequence[Source]
) -> Progress:
    """Take one step: count what has ended, then start as much as there is room for."""
    batch = await store.lock(tx, actor.workspace_id, batch_id)
    if batch is None or batch.job_id != job.id:
        return Progress(0, 0, ended=True)
    settled = await _settle(tx, batch)
    if batch.status is not BatchStatus.RUNNING:
        await store.count(tx, batch, settled)
        return Progress(0, batch.total, ended=not await store.jobs_of(tx, batch), idle=True)
    room = (WINDOW if batch.subject is BatchSubject.LEADS else COMPANY_WINDOW) - len(await store.jobs_of(tx, batch))
    skipped: list[Settled] = []
    walked = batch.walked
    if room > 0:
        step = _next_leads if batch.subject is BatchSubject.LEADS else _next_companies
        skipped, walked = await step(tx, actor, batch, job, sources, room)
    await store.count(tx, batch, [*settled, *skipped])
    left = await store.jobs_of(tx, batch)
    if walked and not left:
        again = await store.waiting_until(tx, batch)
        if again is not None:
            return Progress(batch.total - batch.waiting, batch.total, ended=False, idle=True, again=again)
        expect_changed(await store.change(tx, batch, BatchStatus.COMPLETED))
        await spending.set_batch_state(tx, actor, batch_id=batch.id, state=BudgetState.CLOSED)
        return Progress(batch.total, batch.total, ended=True)
    return Progress(max(0, batch.total - len(left)), batch.total, ended=False, idle=walked or len(left) >= room)


async def _settle(tx: Transaction, batch: EnrichmentBatch) -> list[Settled]:
    """The leads or companies whose job has ended. They are removed from those under way.

    Those whose company is read again later, because sources limit requests, wait for that.
    """
    ended = await store.ended(tx, batch)
    waiting = [item for item in ended if _is_read_again(item)]
    await store.follow(tx, batch, waiting)
    settled = [_settled(item, batch.subject) for item in ended if not _is_read_again(item)]
    if settled:
        await store.remove_items(tx, batch, [item.subject_id for item in settled])
    return settled


def _is_read_again(item: EndedItem) -> bool:
    return item.next_job_id is not None and item.job_status == JobStatus.COMPLETED and item.state in _NOT_COMPLETE


def _settled(item: EndedItem, subject: BatchSubject) -> Settled:
    if subject is BatchSubject.LEADS:
        if item.job_status is None:
            return Settled(item.subject_id, Outcome.SKIPPED, GONE)
        if item.job_status == JobStatus.FAILED:
            return Settled(item.subject_id, Outcome.FAILED, item.error or "No reason given.")
    elif item.state is None:
        return Settled(item.subject_id, Outcome.SKIPPED, GONE)
    elif item.state == CompanyRunState.FAILED:
        return Settled(item.subject_id, Outcome.FAILED, item.sentence)
    if item.state in _NOT_COMPLETE:
        return Settled(item.subject_id, Outcome.PARTIAL, item.sentence)
    return Settled(item.subject_id, Outcome.COMPLETED)


async def _next_leads(
    tx: Transaction, actor: Actor, batch: EnrichmentBatch, job: RunningJob, sources: Sequence[Source], room: int
) -> tuple[list[Settled], bool]:
    """Start the next leads. Returns those that are skipped, and whether those were the last."""
    waiting = await store.withdrawn(tx, batch, limit=room)
    found = _Leads(waiting, None) if waiting else await _leads(tx, actor, batch, room)
    locked = await leads.lock_leads(tx, actor, lead_ids=found.ids)
    skipped = [Settled(lead_id, Outcome.SKIPPED, GONE) for lead_id in found.ids if lead_id not in locked]
    busy = await store.being_enriched(tx, actor.workspace_id, ENRICH_LEAD.name, list(locked))
    skipped += [Settled(lead_id, Outcome.SKIPPED, UNDER_WAY) for lead_id in busy]
    wanted = {lead_id: lead for lead_id, lead in locked.items() if lead_id not in busy}
    if not batch.include_fresh:
        known = await known_leads(tx, actor, list(wanted.values()), sources)
        skipped += [Settled(lead_id, Outcome.SKIPPED, ALREADY_KNOWN) for lead_id in known]
        wanted = {lead_id: lead for lead_id, lead in wanted.items() if lead_id not in known}
    requester = Actor.requester(batch.workspace_id, batch.actor_kind, batch.actor_id)
    job_ids = await leads.queue_enrichment(
        tx, requester, lead_ids=list(wanted), trace=job.trace, priority=Priority.BULK
    )
    await store.remove_items(tx, batch, [item.subject_id for item in skipped])
    await store.put_items(tx, batch, dict(zip(wanted, job_ids, strict=True)))
    if waiting:
        return skipped, batch.walked and len(waiting) < room
    await store.move(tx, batch, found.position, walked=found.position is None)
    return skipped, found.position is None


async def _next_companies(
    tx: Transaction, actor: Actor, batch: EnrichmentBatch, job: RunningJob, sources: Sequence[Source], room: int
) -> tuple[list[Settled], bool]:
    """Start the runs of the next companies. Returns those that are skipped, and whether those were the last."""
    waiting = await store.withdrawn(tx, batch, limit=room)
    ids = [] if batch.walked else [UUID(item) for item in batch.scope["companyIds"]]
    at = (batch.position or {}).get("at", 0)
    part, end = waiting or ids[at : at + room], at + room
    started = await company_runs.request_in_bulk(
        tx,
        actor,
        company_ids=part,
        sources=plan_of(sources),
        include_fresh=batch.include_fresh,
        trace=job.trace,
        batch_id=batch.id,
    )
    skipped = [
        Settled(company_id, Outcome.SKIPPED, ALREADY_KNOWN if company_id in started.fresh else GONE)
        for company_id in part
        if company_id not in started.jobs
    ]
    await store.remove_items(tx, batch, [item.subject_id for item in skipped])
    await store.put_items(tx, batch, dict(started.jobs))
    if waiting:
        return skipped, batch.walked and len(waiting) < room
    if batch.walked:
        return skipped, True
    await store.move(tx, batch, {"at": end}, walked=end >= len(ids))
    return skipped, end >= len(ids)


async def _leads(tx: Transaction, actor: Actor, batch: EnrichmentBatch, room: int) -> _Leads:
    """The next leads of a batch, in the order of their creation; later ones are not included."""
    if batch.walked:
        return _Leads([], None)
    if "leadIds" in batch.scope:
        at = (batch.position or {}).get("at", 0)
        ids = [UUID(item) for item in batch.scope["leadIds"]]
        end = at + room
        return _Leads(ids[at:end], {"at": end} if end < len(ids) else None)
    filters = replace(_filter(batch.scope), created_until=batch.created_at)
    place = batch.position
    after = Position(place["value"], UUID(place["id"])) if place else None
    rows = await next_leads(tx, actor, filters=filters, sort=LeadSort.CREATED, after=after, limit=room)
    if len(rows) < room:
        return _Leads([row.id for row in rows], None)
    last = Position.at(rows[-1].created_at, rows[-1].id)
    return _Leads([row.id for row in rows], {"value": last.value, "id": str(last.id)})


async def first_leads(tx: Transaction, actor: Actor, scope: dict[str, Any], *, limit: int) -> list[LeadDetails]:
    """The first leads of a scope."""
    if "leadIds" in scope:
        ids = [UUID(item) for item in scope["leadIds"][:limit]]
    else:
        filters = _filter(scope)
        first = await next_leads(tx, actor, filters=filters, sort=LeadSort.CREATED, after=None, limit=limit)
        ids = [lead.id for lead in first]
    return list((await leads.active_leads(tx, actor, lead_ids=ids)).values())


async def known_leads(
    tx: Transaction, actor: Actor, wanted: Collection[LeadDetails], sources: Sequence[Source]
) -> set[UUID]:
    """Those of the leads that are enriched, and whose company has fresh facts or none is to be read."""
    if not wanted:
        return set()
    enriched = await store.enriched_among(tx, actor.workspace_id, [lead.id for lead in wanted])
    if not sources:
        return enriched
    unread = await company_runs.unread_leads(tx, actor, leads=wanted, sources=plan_of(sources))
    return enriched - unread


async def survey_leads(
    tx: Transaction, actor: Actor, wanted: Collection[LeadDetails], sources: Sequence[Source], *, include_fresh: bool
) -> Survey:
    """Survey of these leads."""
    if not wanted:
        return Survey(0, 0, 0)
    known = set() if include_fresh else await known_leads(tx, actor, wanted, sources)
    if not sources:
        return Survey(len(wanted), len(known), 0)
    future = await links.future_companies(tx, actor, leads=wanted)
    unread = await company_runs.unread_leads(tx, actor, leads=wanted, sources=plan_of(sources))
    companies = {future[lead.id].id or _domain_of(lead) for lead in wanted if lead.id in unread}
    return Survey(len(wanted), len(known), len(companies))


async def survey_domains(
    tx: Transaction, actor: Actor, domains: Sequence[str], sources: Sequence[Source], *, include_fresh: bool
) -> Survey:
    """Survey of the companies of these domains."""
    if include_fresh:
        return Survey(len(domains), 0, len(domains))
    owners = await company_queries.owners_of(tx, actor.workspace_id, domains)
    mains = {owner.company_id: domain for domain, owner in owners.items()}
    fresh = await fresh_companies(tx, actor, companies=mains, sources=plan_of(sources))
    return Survey(len(domains), len(fresh), len(domains) - len(fresh))


def _domain_of(lead: LeadDetails) -> str | None:
    key = company_key(website=lead.website, email_norm=lead.email_norm)
    return key.domain if key else None


def _filter(scope: Any) -> LeadFilter:  # noqa: ANN401  JSON
    return LeadQuery.model_validate(scope["matching"]).lead_filter()
