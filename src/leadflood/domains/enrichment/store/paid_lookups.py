"""SQL of lookups whose call costs money: the row is claimed together with its purchase, and keeps it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment.models.lookups import LookupClaim, LookupKey
from leadflood.domains.enrichment.store.lookups import LookupAsker, question_columns
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.ids import new_id

# Claim a question that is not being asked, with its purchase.
CLAIM = sql("""
INSERT INTO lookups (workspace_id, id, lead_id, company_id, source, source_version, question_hash, state, job_id, claim,
                     claimed_until, asked_at, purchase_id)
VALUES (:workspace_id, :claim, :lead_id, :company_id, :source, :version, :question_hash, 'asked', :job_id, :claim,
        :until, :now, :purchase_id)
ON CONFLICT (workspace_id, question_hash, source) WHERE state IN ('asked', 'in_doubt', 'waiting') DO NOTHING
""")

# Take over a question, which is locked, from a caller whose time is over.
TAKE = sql("""
UPDATE lookups
SET claim = :claim, claimed_until = :until, job_id = :job_id, purchase_id = :purchase_id,
    state = CASE state WHEN 'in_doubt' THEN 'asked' ELSE state END
WHERE workspace_id = :workspace_id AND id = :id
""")

# Whether the job of a call still runs, until this transaction ends, and the batch that it belongs to.
CAUSE = sql("""
SELECT j.status = 'running' AS runs, b.id AS batch_id, b.actor_id
FROM job_executions j
LEFT JOIN company_runs r ON r.workspace_id = j.workspace_id AND r.job_id = j.id
LEFT JOIN lead_runs l ON l.workspace_id = j.workspace_id AND l.lead_id = :subject_id AND l.next_job_id = j.id
LEFT JOIN LATERAL (
    SELECT batch_id FROM enrichment_batch_items i
    WHERE i.workspace_id = j.workspace_id AND i.subject_id = :subject_id AND i.job_id = j.id LIMIT 1
) i ON true
LEFT JOIN enrichment_batches b ON b.workspace_id = j.workspace_id
                              AND b.id = coalesce(r.batch_id, l.batch_id, i.batch_id)
WHERE j.workspace_id = :workspace_id AND j.id = :job_id FOR SHARE OF j
""")

# The unanswered row of a question, locked.
UNANSWERED = sql("""
SELECT id, state, claim, claimed_until, purchase_id, doubted_at FROM lookups
WHERE workspace_id = :workspace_id AND question_hash = :question_hash AND source = :source
  AND state IN ('asked', 'in_doubt', 'waiting') FOR UPDATE
""")

# The row of a claim, locked.
CLAIMED = sql("""
SELECT id, state, purchase_id FROM lookups
WHERE workspace_id = :workspace_id AND question_hash = :question_hash AND source = :source AND claim = :claim
  AND state IN ('asked', 'in_doubt', 'waiting') FOR UPDATE
""")

# The answer of a call was lost. Its claim stays, so that the answer is stored if it comes after all.
DOUBT = sql("""
UPDATE lookups SET state = 'in_doubt', doubted_at = coalesce(doubted_at, now()), sentence = :sentence
WHERE workspace_id = :workspace_id AND id = :id AND state = 'asked'
""")

# Remove a row without an answer.
REMOVE = sql("DELETE FROM lookups WHERE workspace_id = :workspace_id AND id = :id AND state IN ('asked', 'in_doubt')")

# Leave a ticket to the next caller.
LEAVE = sql("""
UPDATE lookups SET claim = NULL, claimed_until = NULL
WHERE workspace_id = :workspace_id AND id = :id AND state = 'waiting'
""")

# The cost of an answered lookup.
SET_COST = sql("UPDATE lookups SET cost_micros = :micros WHERE workspace_id = :workspace_id AND id = :id")


@dataclass(frozen=True, slots=True)
class Cause:
    """The job of a call: whether it runs, and its batch with the user who started that."""

    runs: bool
    batch_id: UUID | None = None
    actor_id: UUID | None = None


async def cause(tx: Transaction, asker: LookupAsker) -> Cause:
    """The job of a call, which cannot be canceled until the transaction ends. Without a job, it runs."""
    if asker.job_id is None:
        return Cause(runs=True)
    values = {"workspace_id": asker.workspace_id, "job_id": asker.job_id, "subject_id": asker.subject_id}
    row = await tx.first(CAUSE, values)
    return Cause(runs=False) if row is None else Cause(row.runs, row.batch_id, row.actor_id)


async def claim(
    tx: Transaction, asker: LookupAsker, key: LookupKey, purchase_id: UUID, *, now: datetime, until: datetime
) -> UUID | None:
    """Claim a question. Returns the token of the claim and ID of the lookup; None if another caller has it."""
    token = new_id()
    values = {**question_columns(asker, key), **asker.subject, "version": key.version, "job_id": asker.job_id}
    given = {"claim": token, "purchase_id": purchase_id, "now": now, "until": until}
    return token if await tx.changed(CLAIM, {**values, **given}) == 1 else None


async def take(tx: Transaction, asker: LookupAsker, lookup_id: UUID, purchase_id: UUID, *, until: datetime) -> UUID:
    """Take over a locked row with a purchase. Returns the token of the claim."""
    token = new_id()
    values = {"workspace_id": asker.workspace_id, "id": lookup_id, "job_id": asker.job_id}
    given = {"claim": token, "purchase_id": purchase_id, "until": until}
    expect_changed(await tx.changed(TAKE, {**values, **given}))
    return token


async def unanswered(tx: Transaction, asker: LookupAsker, key: LookupKey) -> Row | None:
    """The unanswered row of a question, locked."""
    return await tx.first(UNANSWERED, question_columns(asker, key))


async def claimed(tx: Transaction, asker: LookupAsker, key: LookupKey, claim: LookupClaim) -> Row | None:
    """The row of a claim, locked; None if the claim is over."""
    return await tx.first(CLAIMED, {**question_columns(asker, key), "claim": claim.token})


async def doubt(tx: Transaction, workspace_id: UUID, lookup_id: UUID, *, sentence: str) -> bool:
    """Record that the answer of a call was lost. False for a row that is in doubt, or answered."""
    values = {"workspace_id": workspace_id, "id": lookup_id, "sentence": sentence}
    return await tx.changed(DOUBT, values) == 1


async def remove(tx: Transaction, workspace_id: UUID, lookup_id: UUID) -> None:
    """Remove a locked row without an answer, or leave its ticket to the next caller."""
    values = {"workspace_id": workspace_id, "id": lookup_id}
    await tx.execute(REMOVE, values)
    await tx.execute(LEAVE, values)


async def set_cost(tx: Transaction, workspace_id: UUID, lookup_id: UUID, micros: int) -> None:
    """Record what an answered lookup cost."""
    await tx.execute(SET_COST, {"workspace_id": workspace_id, "id": lookup_id, "micros": micros})
