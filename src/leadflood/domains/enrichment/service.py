"""Verbs of enrichment: what the job does with what adapters find."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.enrichment import store
from leadflood.domains.enrichment.models import Candidate, KnownLead, best_values
from leadflood.domains.enrichment.store import Run
from leadflood.domains.leads import queries as leads_queries
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.email_address import parse_email


@dataclass(frozen=True, slots=True)
class Started:
    """What an attempt begins with: the lead, and which adapters have answered for this job (None: with success)."""

    lead: KnownLead
    answered: dict[str, str | None]


async def start(tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID, attempt: int) -> Started | None:
    """Take the lead to `processing`. None when it is gone: then there is nothing to enrich."""
    try:
        lead = await leads_queries.get_lead(tx, actor, lead_id=lead_id)
    except LeadNotFound:
        return None
    await leads.move(
        tx,
        actor,
        lead_id=lead_id,
        status=LeadStatus.PROCESSING,
        event=LeadEventKind.ENRICHMENT_STARTED,
        data={"jobId": str(job_id), "attempt": attempt},
    )
    answered = await store.answered(tx, actor.workspace_id, job_id) if attempt > 1 else {}
    return Started(_known(lead), answered)


async def keep(tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID, run: Run) -> None:
    """Keep what an adapter said before the next one is asked: it may have cost money. Not for a lead that is gone."""
    if await leads.hold_lead(tx, actor, lead_id=lead_id):
        await store.insert_run(tx, actor.workspace_id, lead_id, job_id, run)


async def complete(
    tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID, runs: Sequence[Run], order: Sequence[str]
) -> None:
    """Keep the last runs, choose the best value of each field, and take the lead to `enriched`.

    Nothing is written for a lead that is gone. Two jobs of one lead choose one after the other.

    Args: runs: those not kept yet. order: adapter names in the order of their precedence among equals.
    """
    if not await leads.hold_lead(tx, actor, lead_id=lead_id):
        return
    fresh = {run.adapter for run in runs if run.error is None}
    earlier = await store.competing_values(tx, actor.workspace_id, lead_id)
    rivals = [value for value in earlier if value.candidate.adapter not in fresh]
    new = [Candidate(run.adapter, run.adapter_version, value) for run in runs for value in run.values]
    candidates = sorted([*(rival.candidate for rival in rivals), *new], key=lambda each: _rank(order, each.adapter))
    winners = {id(candidate) for candidate in best_values(candidates).values()}
    if earlier:
        kept = [rival.id for rival in rivals if id(rival.candidate) in winners]
        await store.choose(tx, actor.workspace_id, lead_id, kept)
    chosen = [candidate.found for candidate in new if id(candidate) in winners]
    for run in runs:
        await store.insert_run(tx, actor.workspace_id, lead_id, job_id, run, chosen)
    await leads.move(
        tx,
        actor,
        lead_id=lead_id,
        status=LeadStatus.ENRICHED,
        event=LeadEventKind.ENRICHMENT_COMPLETED,
        data={
            "jobId": str(job_id),
            "fields": sorted(candidate.found.field for candidate in best_values(candidates).values()),
        },
    )


async def fail(tx: Transaction, actor: Actor, *, lead_id: UUID, job_id: UUID, error: str) -> None:
    """Take the lead to `failed`, with the reason: its job is over, and only a retry of it asks anybody again."""
    await store.void_refusals(tx, actor.workspace_id, job_id)
    await leads.move(
        tx,
        actor,
        lead_id=lead_id,
        status=LeadStatus.FAILED,
        event=LeadEventKind.ENRICHMENT_FAILED,
        data={"jobId": str(job_id), "error": error},
        error=error,
    )


def _known(lead: LeadView) -> KnownLead:
    return KnownLead(
        lead_id=lead.id,
        email=lead.email,
        email_norm=parse_email(lead.email).norm,
        first_name=lead.first_name,
        last_name=lead.last_name,
        company=lead.company,
        job_title=lead.job_title,
        phone=lead.phone,
        website=lead.website,
        country=lead.country,
    )


def _rank(order: Sequence[str], adapter: str) -> int:
    return order.index(adapter) if adapter in order else len(order)
