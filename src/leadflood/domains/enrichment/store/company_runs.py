"""SQL that writes runs of companies."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models.company_runs import WAIT, CompanyRun, CompanyRunState, InstantFacts
from leadflood.domains.enrichment.store.decisions import copy_rejections, remove_copied_rejections
from leadflood.domains.enrichment.store.lookups import fact_columns
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.queue.ports import Priority

REQUEST = sql_file("leadflood.domains.enrichment.sql", "request_runs")

# Runs of companies that have not ended.
LIVE = sql("""
SELECT id, company_id, job_id, domain, wait_until FROM company_runs
WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[]) AND ended_at IS NULL
""")

# Whether leads wait for a run. It ends before that or after this transaction.
AWAITED = sql("""
SELECT 1 FROM company_runs
WHERE workspace_id = :workspace_id AND id = :run_id AND ended_at IS NULL AND wait_until > now() FOR SHARE
""")

# Begin an attempt of a run.
BEGIN = sql("""
UPDATE company_runs
SET started_at = CASE WHEN not_before > now() THEN NULL ELSE coalesce(started_at, now()) END, domain = :domain,
    sources = CASE WHEN free_only THEN :free_sources ELSE :sources END
WHERE workspace_id = :workspace_id AND id = :run_id AND ended_at IS NULL
RETURNING newer_than, not_before, follow_ups, free_only
""")

# Start a run that follows one that has just ended. No lead waits for it.
FOLLOW_UP = sql("""
INSERT INTO company_runs (workspace_id, id, company_id, job_id, domain, sources, wait_until, not_before, follow_ups,
                          free_only, batch_id)
SELECT workspace_id, :id, company_id, :job_id, domain, sources, now(), :not_before, follow_ups + 1, free_only, batch_id
FROM company_runs WHERE workspace_id = :workspace_id AND id = :run_id
RETURNING id, company_id, job_id, domain, wait_until
""")

# Runs of companies that have not begun, locked: no lead begins to wait for one.
UNSTARTED = sql("""
SELECT id FROM company_runs
WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[]) AND ended_at IS NULL
  AND started_at IS NULL AND not_before IS NULL
ORDER BY company_id FOR UPDATE
""")

# The jobs of those that only one batch asked for.
ONLY_FOR_BATCH = sql("""
SELECT r.job_id FROM company_runs r
JOIN job_executions j ON j.workspace_id = r.workspace_id AND j.id = r.job_id AND j.priority = :bulk
WHERE r.workspace_id = :workspace_id AND r.id = ANY (:ids::uuid[])
  AND NOT EXISTS (SELECT FROM job_executions w WHERE w.workspace_id = r.workspace_id AND w.awaited_id = r.id)
  AND NOT EXISTS (SELECT FROM enrichment_batch_items i
                  WHERE i.workspace_id = r.workspace_id AND i.subject_id = r.company_id AND i.batch_id <> :batch_id
                    AND i.job_id = r.job_id)
""")

# Remove the runs of withdrawn jobs.
REMOVE = sql("""
DELETE FROM company_runs
WHERE workspace_id = :workspace_id AND job_id = ANY (:job_ids::uuid[]) AND started_at IS NULL AND ended_at IS NULL
""")

# End a run whose time has not come.
END_SCHEDULED = sql("""
UPDATE company_runs SET state = 'canceled', sentence = :sentence, ended_at = now()
WHERE workspace_id = :workspace_id AND company_id = ANY (:company_ids::uuid[]) AND ended_at IS NULL
  AND not_before > now()
""")

# End a run.
END = sql("""
UPDATE company_runs
SET state = :state, sentence = :sentence, steps = :steps::jsonb, ended_at = now(), fresh_until = :fresh_until
WHERE workspace_id = :workspace_id AND id = :run_id AND ended_at IS NULL
""")

# End the runs of a job, or of a company.
END_ALL = sql("""
UPDATE company_runs SET state = :state, sentence = :sentence, ended_at = now(), fresh_until = :fresh_until
WHERE workspace_id = :workspace_id AND (job_id = :job_id OR company_id = :company_id) AND ended_at IS NULL
RETURNING id
""")

# Runs that no job is going to end: its record was removed, or its failure hook failed.
ABANDONED = sql("""
UPDATE company_runs r SET state = 'failed', sentence = :sentence, ended_at = now(), fresh_until = :fresh_until
WHERE ended_at IS NULL
  AND NOT EXISTS (SELECT FROM job_executions j WHERE j.workspace_id = r.workspace_id AND j.id = r.job_id
                  AND j.status IN ('queued', 'running'))
RETURNING workspace_id, id
""")

# Old runs, but for the last one of each company.
PURGE = sql("""
DELETE FROM company_runs WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM company_runs r
    WHERE ended_at < now() - make_interval(days => :days)
      AND EXISTS (SELECT FROM company_runs l
                  WHERE l.workspace_id = r.workspace_id AND l.company_id = r.company_id AND l.id > r.id)
    LIMIT :batch)
""")

# Store the answer of a source that answers without waiting.
INSTANT = sql("""
WITH answered AS (
    INSERT INTO lookups (workspace_id, id, company_id, source, source_version, state, job_id, answered_at, expires_at)
    VALUES (:workspace_id, :id, :company_id, :source, :version, 'found', :job_id, now(), now())
)
INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence, source_url, quote,
                          observed_at)
SELECT :workspace_id, :id, v.id, v.field, v.value::jsonb, v.confidence, v.method, v.evidence, v.source_url, v.quote,
       v.observed_at
FROM unnest(:value_ids::uuid[], :fields::text[], :values::text[], :confidences::float8[], :methods::text[],
            :evidences::text[], :urls::text[], :quotes::text[], :observed::timestamptz[])
     AS v (id, field, value, confidence, method, evidence, source_url, quote, observed_at)
""")

# Move the lookups of a company to another one, and record which.
MOVE = sql("""
WITH moved AS (
    UPDATE lookups SET company_id = :to_id
    WHERE workspace_id = :workspace_id AND company_id = :from_id AND answered_at IS NOT NULL RETURNING id
)
INSERT INTO company_merge_lookups (workspace_id, merge_id, lookup_id) SELECT :workspace_id, :merge_id, id FROM moved
ON CONFLICT DO NOTHING
""")

# Return the lookups that a merge moved, as far as the survivor still has them.
RETURN = sql("""
UPDATE lookups l SET company_id = :to_id
FROM company_merge_lookups m
WHERE m.workspace_id = :workspace_id AND m.merge_id = :merge_id AND l.workspace_id = m.workspace_id
  AND l.id = m.lookup_id AND l.company_id = :from_id
""")

# Remove the choices of a company among values of another one, pinned or not.
UNCHOOSE_OTHERS = sql("""
DELETE FROM chosen_values c USING lookups l
WHERE c.workspace_id = :workspace_id AND c.subject_id = :from_id
  AND l.workspace_id = c.workspace_id AND l.id = c.lookup_id AND l.company_id = :to_id
""")


async def request(
    tx: Transaction,
    workspace_id: UUID,
    companies: Mapping[UUID, str],
    *,
    sources: str,
    newer_than: datetime | None = None,
    free_only: bool = False,
    batch_id: UUID | None = None,
) -> list[CompanyRun]:
    """Start runs of those companies that need one. Returns them: their jobs are to be queued.

    `companies`: main domains by ID. `sources`: facts that other ones found are not fresh. `newer_than`: see
    `RunRequest`; with it, fresh facts are asked for again. `free_only`: ask no source that charges. `batch_id`: whose
    budget the runs use; None: that of a batch of leads that belong to the company, if there is one.
    """
    values = {
        "company_ids": list(companies),
        "domains": list(companies.values()),
        "ids": [new_id() for _ in companies],
        "job_ids": [new_id() for _ in companies],
    }
    limits = {"sources": sources, "newer_than": newer_than, "wait": WAIT.total_seconds()}
    kinds = {"free_only": free_only, "batch_id": batch_id}
    rows = await tx.all(REQUEST, {"workspace_id": workspace_id, **values, **limits, **kinds})
    return [CompanyRun(**dict(row)) for row in rows]


async def live(tx: Transaction, workspace_id: UUID, company_ids: Collection[UUID]) -> dict[UUID, CompanyRun]:
    """The runs of companies that have not ended, by company."""
    rows = await tx.all(LIVE, {"workspace_id": workspace_id, "company_ids": list(company_ids)})
    return {row.company_id: CompanyRun(**dict(row)) for row in rows}


async def awaited(tx: Transaction, workspace_id: UUID, run_id: UUID) -> bool:
    """Whether leads wait for a run; it does not end before this transaction does."""
    return await tx.scalar(AWAITED, {"workspace_id": workspace_id, "run_id": run_id}) is not None


async def begin(
    tx: Transaction, workspace_id: UUID, run_id: UUID, *, domain: str, sources: str, free_sources: str
) -> Row | None:
    """Begin an attempt of a run. Returns `newer_than`, `not_before`, `follow_ups`, `free_only`; None if it has ended.

    `free_sources`: of a run that asks no source that charges.
    """
    values = {"workspace_id": workspace_id, "run_id": run_id, "domain": domain, "sources": sources}
    values["free_sources"] = free_sources
    return await tx.first(BEGIN, values)


async def end(
    tx: Transaction,
    workspace_id: UUID,
    run_id: UUID,
    *,
    state: CompanyRunState,
    sentence: str,
    steps: Sequence[Mapping[str, Any]] = (),
    fresh_until: datetime,
) -> bool:
    """End a run; False if it has ended already."""
    result = {"state": state, "sentence": sentence, "steps": json.dumps([*steps]), "fresh_until": fresh_until}
    return await tx.changed(END, {"workspace_id": workspace_id, "run_id": run_id, **result}) == 1


async def follow_up(tx: Transaction, workspace_id: UUID, run_id: UUID, *, not_before: datetime) -> CompanyRun:
    """Start a run that follows one which this transaction has ended. Its job is to be queued."""
    values = {"id": new_id(), "job_id": new_id(), "run_id": run_id, "not_before": not_before}
    (row,) = await tx.all(FOLLOW_UP, {"workspace_id": workspace_id, **values})
    return CompanyRun(**dict(row))


async def only_for_batch(
    tx: Transaction, workspace_id: UUID, batch_id: UUID, company_ids: Collection[UUID]
) -> list[UUID]:
    """The jobs of locked runs that have not begun and that only this batch asked for."""
    companies = {"workspace_id": workspace_id, "company_ids": list(company_ids)}
    ids = [row.id for row in await tx.all(UNSTARTED, companies)]
    values = {"ids": ids, "batch_id": batch_id, "bulk": Priority.BULK}
    return [row.job_id for row in await tx.all(ONLY_FOR_BATCH, {"workspace_id": workspace_id, **values})]


async def remove(tx: Transaction, workspace_id: UUID, job_ids: Collection[UUID]) -> None:
    """Remove the runs of jobs that were withdrawn."""
    await tx.execute(REMOVE, {"workspace_id": workspace_id, "job_ids": list(job_ids)})


async def end_scheduled(tx: Transaction, workspace_id: UUID, company_ids: Collection[UUID], *, sentence: str) -> None:
    """End the runs of companies that wait for their time."""
    values = {"workspace_id": workspace_id, "company_ids": list(company_ids), "sentence": sentence}
    await tx.execute(END_SCHEDULED, values)


async def end_all(
    tx: Transaction,
    workspace_id: UUID,
    *,
    job_id: UUID | None = None,
    company_id: UUID | None = None,
    state: CompanyRunState,
    sentence: str,
    fresh_until: datetime | None,
) -> list[UUID]:
    """End the live run of a job or of a company. Returns it, if there is one."""
    whose = {"workspace_id": workspace_id, "job_id": job_id, "company_id": company_id}
    rows = await tx.all(END_ALL, {**whose, "state": state, "sentence": sentence, "fresh_until": fresh_until})
    return [row.id for row in rows]


async def end_abandoned(tx: Transaction, *, sentence: str, fresh_until: datetime) -> list[tuple[UUID, UUID]]:
    """End runs that no job is going to end. Returns workspace and ID of each. Requires a system transaction."""
    rows = await tx.all(ABANDONED, {"sentence": sentence, "fresh_until": fresh_until})
    return [(row.workspace_id, row.id) for row in rows]


async def purge(tx: Transaction, batch: int, *, days: int) -> int:
    """Delete up to `batch` runs that ended more than `days` ago, but for the last one of each company."""
    return await tx.changed(PURGE, {"days": days, "batch": batch})


async def store_instant(
    tx: Transaction, workspace_id: UUID, company_id: UUID, job_id: UUID, answers: Sequence[InstantFacts]
) -> None:
    """Store the answers of sources that answer without waiting."""
    for answer in answers:
        named = {"source": answer.source, "version": answer.version, "company_id": company_id, "job_id": job_id}
        values = {"workspace_id": workspace_id, "id": new_id(), **named, **fact_columns(answer.facts)}
        await tx.execute(INSTANT, values)


async def move_lookups(tx: Transaction, workspace_id: UUID, *, merge_id: UUID, from_id: UUID, to_id: UUID) -> None:
    """Move the lookups of a company to the one that it becomes part of."""
    values = {"merge_id": merge_id, "from_id": from_id, "to_id": to_id}
    await tx.execute(MOVE, {"workspace_id": workspace_id, **values})
    await copy_rejections(tx, workspace_id, from_id=from_id, to_id=to_id)


async def return_lookups(tx: Transaction, workspace_id: UUID, *, merge_id: UUID, from_id: UUID, to_id: UUID) -> None:
    """Return the lookups that a merge moved. The survivor chooses none of their values any longer.

    Nor does it reject what only the other company rejected.
    """
    companies = {"workspace_id": workspace_id, "from_id": from_id, "to_id": to_id}
    await tx.execute(RETURN, {**companies, "merge_id": merge_id})
    await tx.execute(UNCHOOSE_OTHERS, companies)
    await remove_copied_rejections(tx, workspace_id, of_id=to_id, holders=[from_id])
