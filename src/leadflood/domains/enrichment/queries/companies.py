"""SQL that reads the runs and facts of companies."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from leadflood.domains.companies import queries as companies
from leadflood.domains.enrichment.contracts import CompanyEnrichmentView, CompanyRunView, SourceStepView
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.company_runs import CompanyRunState
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.queries import VALUES, marked_views
from leadflood.domains.enrichment.queries.steps import costs_of, currency_of, step_views
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction

_MAX_RUNS: Final = 5
_MAX_RETRACTED: Final = 20
"""Answers with retracted values that are shown."""

# Those of the companies about which these sources need not be asked. As in `request_runs.sql`.
_FRESH = sql("""
SELECT w.company_id FROM unnest(:company_ids::uuid[], :domains::text[]) AS w (company_id, domain)
WHERE EXISTS (
    SELECT FROM company_runs r
    WHERE r.workspace_id = :workspace_id AND r.company_id = w.company_id AND r.domain = w.domain
      AND r.sources = :sources AND r.fresh_until > now()
      AND (NOT coalesce(r.steps @> '[{"avoided": true}]', false)
           OR r.ended_at > now() - interval '10 minutes'
              AND NOT EXISTS (SELECT FROM company_leads k
                              WHERE k.workspace_id = r.workspace_id AND k.company_id = r.company_id
                                AND k.linked_at > r.ended_at)))
""")

_LOOKUPS = sql_file("leadflood.domains.enrichment.sql", "company_lookups")

# The latest runs of a company.
_RUNS = sql("""
SELECT id, job_id, domain, state, sentence, steps, requested_at, not_before, started_at, ended_at, fresh_until
FROM company_runs
WHERE workspace_id = :workspace_id AND company_id = :company_id ORDER BY id DESC LIMIT :most
""")

# Costs of the answers of sources about a company that jobs asked.
_COSTS = sql("""
SELECT job_id, source, sum(cost_micros)::bigint AS cost_micros FROM lookups
WHERE workspace_id = :workspace_id AND company_id = :company_id AND job_id = ANY (:job_ids::uuid[])
  AND answered_at IS NOT NULL
GROUP BY job_id, source
""")

# The questions of a run so far.
_ASKED = sql("""
SELECT source, state, sentence, asked_at, answered_at, ticket_at,
       (SELECT count(*) FROM found_values v WHERE v.workspace_id = l.workspace_id AND v.lookup_id = l.id) AS facts
FROM lookups l WHERE workspace_id = :workspace_id AND company_id = :company_id AND job_id = :job_id
ORDER BY asked_at, id
""")

# Whether anything is known of a company.
_KNOWN = sql("""
SELECT EXISTS (SELECT FROM chosen_values WHERE workspace_id = :workspace_id AND subject_id = :company_id)
""")


async def is_company_known(tx: Transaction, actor: Actor, *, lead_id: UUID) -> bool:
    """Whether anything is known of the company of a lead."""
    company = (await companies.companies_of_leads(tx, actor, [lead_id])).get(lead_id)
    if company is None:
        return False
    return bool(await tx.scalar(_KNOWN, {"workspace_id": actor.workspace_id, "company_id": company.id}))


async def get_company_enrichment(tx: Transaction, actor: Actor, *, company_id: UUID) -> CompanyEnrichmentView:
    """Facts about a company and its latest runs. Raises: leadflood.domains.companies.errors.CompanyNotFound."""
    await companies.get_company(tx, actor, company_id=company_id)
    named = {"workspace_id": actor.workspace_id, "company_id": company_id}
    lookups = {lookup.id: lookup for lookup in await tx.all(_LOOKUPS, {**named, "most": _MAX_RETRACTED})}
    rows = await tx.all(
        VALUES, {"workspace_id": actor.workspace_id, "subject_id": company_id, "lookup_ids": list(lookups)}
    )
    runs = await latest_runs(tx, actor, company_id=company_id)
    shown = [row for row in rows if row.retraction_id is not None or lookups[row.lookup_id].competes]
    currency = await currency_of(tx, actor, (lookup.cost_micros for lookup in lookups.values()))
    values = await marked_views(tx, actor, shown, lookups, COMPANY_FIELDS, subject_id=company_id, currency=currency)
    return CompanyEnrichmentView(values=values, runs=runs)


async def latest_runs(tx: Transaction, actor: Actor, *, company_id: UUID) -> list[CompanyRunView]:
    """The latest runs of a company, newest first; of a live one, the steps so far."""
    named = {"workspace_id": actor.workspace_id, "company_id": company_id}
    found = await tx.all(_RUNS, {**named, "most": _MAX_RUNS})
    costs = costs_of(await tx.all(_COSTS, {**named, "job_ids": [run.job_id for run in found]}) if found else ())
    currency = await currency_of(tx, actor, costs.values())
    runs = [run_view(run, step_views(run, costs, currency)) for run in found]
    if found and found[0].state == CompanyRunState.RUNNING:
        asked = await tx.all(_ASKED, {**named, "job_id": found[0].job_id})
        runs[0] = run_view(found[0], [_asked_view(lookup) for lookup in asked])
    return runs


def run_view(run: Row, steps: list[SourceStepView]) -> CompanyRunView:
    """The view of a run."""
    return CompanyRunView(
        id=run.id,
        job_id=run.job_id,
        domain=run.domain,
        state=run.state,
        message=run.sentence,
        steps=steps,
        requested_at=run.requested_at,
        not_before=run.not_before,
        started_at=run.started_at,
        ended_at=run.ended_at,
        fresh_until=run.fresh_until,
    )


def _asked_view(lookup: Row) -> SourceStepView:
    """The step of a run that has not ended."""
    answered = lookup.answered_at is not None
    ended = lookup.answered_at or utc_now()
    return SourceStepView(
        source=lookup.source,
        state=StepState(lookup.state) if answered else StepState.ASKING,
        message=lookup.sentence,
        facts=lookup.facts,
        seconds=max(0.0, round((ended - lookup.asked_at).total_seconds(), 3)),
        stored=False,
        until=lookup.ticket_at,
    )


async def fresh_companies(
    tx: Transaction, actor: Actor, *, companies: Mapping[UUID, str], sources: str
) -> frozenset[UUID]:
    """Those of the companies whose facts are fresh. Args: companies: main domains by ID."""
    if not companies:
        return frozenset()
    values = {"company_ids": list(companies), "domains": list(companies.values()), "sources": sources}
    rows = await tx.all(_FRESH, {"workspace_id": actor.workspace_id, **values})
    return frozenset(row.company_id for row in rows)
