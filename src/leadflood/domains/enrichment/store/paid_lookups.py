"""SQL of lookups whose call costs money: the row is claimed together with its purchase, and keeps it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment.models.lookups import LookupClaim, LookupKey, PaidCall
from leadflood.domains.enrichment.store.lookups import LookupAsker, question_columns, questions_columns
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.ids import new_id

# Claim questions that are not being asked, with their purchases.
CLAIM = sql("""
INSERT INTO lookups (workspace_id, id, lead_id, company_id, source, source_version, question_hash, state, job_id, claim,
                     claimed_until, asked_at, purchase_id)
SELECT :workspace_id, q.claim, q.lead_id, q.company_id, q.source, q.version, q.question_hash, 'asked', q.job_id,
       q.claim, q.until, q.asked_at, q.purchase_id
FROM unnest(:question_hashes::bytea[], :sources::text[], :versions::text[], :claims::uuid[], :lead_ids::uuid[],
            :company_ids::uuid[], :job_ids::uuid[], :until::timestamptz[], :asked_at::timestamptz[],
            :purchase_ids::uuid[])
     AS q (question_hash, source, version, claim, lead_id, company_id, job_id, until, asked_at, purchase_id)
ON CONFLICT (workspace_id, question_hash, source) WHERE state IN ('asked', 'in_doubt', 'waiting') DO NOTHING
RETURNING id
""")

# Take over a question, which is locked, from a caller whose time is over.
TAKE = sql("""
UPDATE lookups
SET claim = :claim, claimed_until = :until, job_id = :job_id, purchase_id = :purchase_id,
    state = CASE state WHEN 'in_doubt' THEN 'asked' ELSE state END
WHERE workspace_id = :workspace_id AND id = :id
""")

# Whether the jobs of calls still run, until this transaction ends, and the batches that they belong to. Locked in the
# order of their IDs.
CAUSES = sql("""
SELECT q.job_id, q.subject_id, j.status = 'running' AS runs, b.id AS batch_id, b.actor_id
FROM (SELECT * FROM unnest(:job_ids::uuid[], :subject_ids::uuid[]) AS n (job_id, subject_id)
      ORDER BY job_id, subject_id) AS q
CROSS JOIN LATERAL (
    SELECT status FROM job_executions WHERE workspace_id = :workspace_id AND id = q.job_id FOR SHARE
) AS j
LEFT JOIN company_runs r ON r.workspace_id = :workspace_id AND r.job_id = q.job_id
LEFT JOIN lead_runs l ON l.workspace_id = :workspace_id AND l.lead_id = q.subject_id AND l.next_job_id = q.job_id
LEFT JOIN LATERAL (
    SELECT batch_id FROM enrichment_batch_items i
    WHERE i.workspace_id = :workspace_id AND i.subject_id = q.subject_id AND i.job_id = q.job_id LIMIT 1
) i ON true
LEFT JOIN enrichment_batches b ON b.workspace_id = :workspace_id
                              AND b.id = coalesce(r.batch_id, l.batch_id, i.batch_id)
""")

# The unanswered rows of questions, locked in the order of their IDs.
UNANSWERED = sql("""
SELECT l.id, l.question_hash, l.source, l.state, l.claim, l.claimed_until, l.purchase_id, l.doubted_at
FROM unnest(:question_hashes::bytea[], :sources::text[]) AS q (question_hash, source)
JOIN lookups l ON l.workspace_id = :workspace_id AND l.question_hash = q.question_hash AND l.source = q.source
              AND l.state IN ('asked', 'in_doubt', 'waiting')
ORDER BY l.id FOR UPDATE OF l
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

# Remove rows without an answer.
REMOVE = sql("""
DELETE FROM lookups WHERE workspace_id = :workspace_id AND id = ANY (:ids::uuid[]) AND state IN ('asked', 'in_doubt')
""")

# Leave a ticket to the next caller.
LEAVE = sql("""
UPDATE lookups SET claim = NULL, claimed_until = NULL
WHERE workspace_id = :workspace_id AND id = :id AND state = 'waiting'
""")

# The costs of answered lookups, which are locked.
SET_COSTS = sql("""
UPDATE lookups l SET cost_micros = n.micros FROM unnest(:ids::uuid[], :micros::bigint[]) AS n (id, micros)
WHERE l.workspace_id = :workspace_id AND l.id = ANY (:ids::uuid[]) AND l.id = n.id
""")


@dataclass(frozen=True, slots=True)
class Cause:
    """The job of a call: whether it runs, and its batch with the user who started that."""

    runs: bool
    batch_id: UUID | None = None
    actor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaidQuestion:
    """A question whose call is to be purchased. `now`, `until`: as of `Lookups.claim`."""

    asker: LookupAsker
    key: LookupKey
    paid: PaidCall
    now: datetime
    until: datetime

    @property
    def identity(self) -> tuple[bytes, str]:
        """Equal for the same question."""
        return self.key.fingerprint, self.key.source


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A question that is to be claimed. `token`: of the claim, and ID of the lookup."""

    question: PaidQuestion
    token: UUID
    purchase_id: UUID


async def causes(tx: Transaction, workspace_id: UUID, askers: Collection[LookupAsker]) -> Mapping[LookupAsker, Cause]:
    """The jobs of calls, which cannot be canceled until the transaction ends. Without a job, a call runs."""
    with_job = sorted({(each.job_id, each.subject_id) for each in askers if each.job_id is not None})
    found: dict[tuple[UUID | None, UUID], Cause] = {}
    if with_job:
        columns = {"job_ids": [job_id for job_id, _ in with_job], "subject_ids": [each for _, each in with_job]}
        for row in await tx.all(CAUSES, {"workspace_id": workspace_id, **columns}):
            found[row.job_id, row.subject_id] = Cause(row.runs, row.batch_id, row.actor_id)
    ended = Cause(runs=False)
    return {
        each: Cause(runs=True) if each.job_id is None else found.get((each.job_id, each.subject_id), ended)
        for each in askers
    }


async def claim(tx: Transaction, workspace_id: UUID, claims: Sequence[NewClaim]) -> set[UUID]:
    """Claim different questions. Returns the tokens of those that no other caller has.

    Each waits for another caller who claims it now, so they are claimed in one order.
    """
    ordered = sorted(claims, key=lambda each: each.question.identity)
    askers = [each.question.asker for each in ordered]
    values = {
        **questions_columns([each.question.key for each in ordered]),
        "versions": [each.question.key.version for each in ordered],
        "claims": [each.token for each in ordered],
        "lead_ids": [asker.subject["lead_id"] for asker in askers],
        "company_ids": [asker.subject["company_id"] for asker in askers],
        "job_ids": [asker.job_id for asker in askers],
        "until": [each.question.until for each in ordered],
        "asked_at": [each.question.now for each in ordered],
        "purchase_ids": [each.purchase_id for each in ordered],
    }
    return {row.id for row in await tx.all(CLAIM, {"workspace_id": workspace_id, **values})}


async def take(tx: Transaction, asker: LookupAsker, lookup_id: UUID, purchase_id: UUID, *, until: datetime) -> UUID:
    """Take over a locked row with a purchase. Returns the token of the claim."""
    token = new_id()
    values = {"workspace_id": asker.workspace_id, "id": lookup_id, "job_id": asker.job_id}
    given = {"claim": token, "purchase_id": purchase_id, "until": until}
    expect_changed(await tx.changed(TAKE, {**values, **given}))
    return token


async def unanswered(
    tx: Transaction, workspace_id: UUID, keys: Collection[LookupKey]
) -> Mapping[tuple[bytes, str], Row]:
    """The unanswered rows of questions by fingerprint and source, locked."""
    rows = await tx.all(UNANSWERED, {"workspace_id": workspace_id, **questions_columns([*keys])})
    return {(row.question_hash, row.source): row for row in rows}


async def claimed(tx: Transaction, asker: LookupAsker, key: LookupKey, claim: LookupClaim) -> Row | None:
    """The row of a claim, locked; None if the claim is over."""
    return await tx.first(CLAIMED, {**question_columns(asker, key), "claim": claim.token})


async def doubt(tx: Transaction, workspace_id: UUID, lookup_id: UUID, *, sentence: str) -> bool:
    """Record that the answer of a call was lost. False for a row that is in doubt, or answered."""
    values = {"workspace_id": workspace_id, "id": lookup_id, "sentence": sentence}
    return await tx.changed(DOUBT, values) == 1


async def remove(tx: Transaction, workspace_id: UUID, lookup_id: UUID) -> None:
    """Remove a locked row without an answer, or leave its ticket to the next caller."""
    await remove_all(tx, workspace_id, [lookup_id])
    await tx.execute(LEAVE, {"workspace_id": workspace_id, "id": lookup_id})


async def remove_all(tx: Transaction, workspace_id: UUID, lookup_ids: Sequence[UUID]) -> None:
    """Remove locked rows without an answer."""
    await tx.execute(REMOVE, {"workspace_id": workspace_id, "ids": list(lookup_ids)})


async def set_costs(tx: Transaction, workspace_id: UUID, costs: Mapping[UUID, int]) -> None:
    """Record what answered lookups cost, in micros by ID."""
    values = {"workspace_id": workspace_id, "ids": list(costs), "micros": list(costs.values())}
    await tx.execute(SET_COSTS, values)
