"""SQL of lookups: one row for each question to a source, from its claim to its answer."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from leadflood.domains.enrichment.models.answers import Ticket
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.fact_fields import FactCatalog, SubjectKind
from leadflood.domains.enrichment.models.facts import Fact, Receipt
from leadflood.domains.enrichment.models.lookups import LookupClaim, LookupKey, LookupOutcome, LookupState
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.text import InvalidValue

ANSWER = sql_file("leadflood.domains.enrichment.sql", "answer_lookup")

# The latest answer to each of several questions. A ticket counts as one.
ANSWERED = sql("""
SELECT q.place, a.* FROM unnest(:question_hashes::bytea[], :sources::text[]) WITH ORDINALITY
                         AS q (question_hash, source, place)
CROSS JOIN LATERAL (
    SELECT id, state, answered_at, expires_at, sentence, ticket, ticket_at, failures, units, provider_ref
    FROM lookups
    WHERE workspace_id = :workspace_id AND question_hash = q.question_hash AND source = q.source
      AND answered_at IS NOT NULL
    ORDER BY answered_at DESC, id DESC LIMIT 1
) AS a
""")

# The values of answers.
VALUES = sql("""
SELECT lookup_id, field, value, confidence, method, evidence, source_url, quote, observed_at, retraction_id
FROM found_values WHERE workspace_id = :workspace_id AND lookup_id = ANY (:lookup_ids::uuid[]) ORDER BY id
""")

CLAIM = sql_file("leadflood.domains.enrichment.sql", "claim_lookup")

# The end of the claim of the caller who asks a question now.
CLAIMED_UNTIL = sql("""
SELECT claimed_until FROM lookups
WHERE workspace_id = :workspace_id AND question_hash = :question_hash AND source = :source
  AND state IN ('asked', 'waiting') AND claim IS NOT NULL
""")

# End a claim without an answer. A ticket stays.
RELEASE = sql("""
WITH unanswered AS (
    DELETE FROM lookups
    WHERE workspace_id = :workspace_id AND question_hash = :question_hash AND source = :source
      AND claim = :claim AND state = 'asked'
)
UPDATE lookups SET claim = NULL, claimed_until = NULL
WHERE workspace_id = :workspace_id AND question_hash = :question_hash AND source = :source
  AND claim = :claim AND state = 'waiting'
""")

# End the claims of earlier attempts of a job, not those of other jobs about the same subject. An answer that arrives
# after that is stored, unless another caller has asked the question again.
END_CLAIMS = sql("""
UPDATE lookups SET claimed_until = now()
WHERE workspace_id = :workspace_id AND (lead_id = :lead_id OR company_id = :company_id)
  AND job_id IS NOT DISTINCT FROM :job_id AND state IN ('asked', 'waiting') AND claim IS NOT NULL
""")

# The question about a subject to which a source gave a ticket.
PENDING = sql("""
SELECT question_hash, source_version FROM lookups
WHERE workspace_id = :workspace_id AND (lead_id = :lead_id OR company_id = :company_id) AND source = :source
  AND state = 'waiting' AND expires_at > now() ORDER BY id LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class LookupAsker:
    """Subject and job of a question.

    Attributes:
        kind: of the subject.
        subject_id: of a lead or a company.
        job_id: None where no job asks.
        testing: whether it tests a source, which need not be enabled.
    """

    workspace_id: UUID
    kind: SubjectKind
    subject_id: UUID
    job_id: UUID | None = None
    testing: bool = False

    @property
    def subject(self) -> dict[str, UUID | None]:
        """The subject, as columns."""
        return {
            "lead_id": self.subject_id if self.kind is SubjectKind.LEAD else None,
            "company_id": self.subject_id if self.kind is SubjectKind.COMPANY else None,
        }


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """A stored answer, and the lookup that has it."""

    lookup_id: UUID
    outcome: LookupOutcome


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """The answer to a claimed question. `claim`: its token."""

    key: LookupKey
    claim: UUID
    outcome: LookupOutcome


@dataclass(frozen=True, slots=True)
class AnsweredLookup:
    """A lookup that was answered. `purchase_id`: of a call that cost money."""

    id: UUID
    purchase_id: UUID | None


async def answered(tx: Transaction, asker: LookupAsker, key: LookupKey) -> StoredOutcome | None:
    """The latest answer to a question, as below."""
    (found,) = await all_answered(tx, asker.workspace_id, [(asker, key)])
    return found


async def all_answered(
    tx: Transaction, workspace_id: UUID, questions: Sequence[tuple[LookupAsker, LookupKey]]
) -> list[StoredOutcome | None]:
    """The latest answer to each question, whether it is still good or not. With a retracted value, it has expired."""
    values = {"workspace_id": workspace_id, **questions_columns([key for _, key in questions])}
    answers = {row.place - 1: row for row in await tx.all(ANSWERED, values)}
    found: defaultdict[UUID, list[Row]] = defaultdict(list)
    hits = [row.id for row in answers.values() if row.state == LookupState.FOUND]
    if hits:
        for value in await tx.all(VALUES, {"workspace_id": workspace_id, "lookup_ids": hits}):
            found[value.lookup_id].append(value)
    return [
        _stored(asker, answers[place], found[answers[place].id]) if place in answers else None
        for place, (asker, _) in enumerate(questions)
    ]


def _stored(asker: LookupAsker, row: Row, values: Sequence[Row]) -> StoredOutcome:
    kept = [value for value in values if value.retraction_id is None]
    outcome = _outcome(row, facts_of(CATALOGS[asker.kind], kept))
    if len(kept) < len(values):
        outcome = replace(outcome, expires_at=outcome.answered_at)
    return StoredOutcome(row.id, outcome)


async def claim(
    tx: Transaction,
    asker: LookupAsker,
    key: LookupKey,
    *,
    now: datetime,
    until: datetime,
    newer_than: datetime | None = None,
    anyway: bool = False,
) -> UUID | None:
    """Claim a question. Returns the token of the claim; None if another caller has it, or if a good answer is stored.

    Args: newer_than: see `Lookups.claim`. anyway: whether an answer that is stored does not matter.
    """
    token = new_id()
    values = {
        **question_columns(asker, key),
        **asker.subject,
        "version": key.version,
        "job_id": asker.job_id,
        "claim": token,
    }
    times = {"now": now, "until": until, "newer_than": newer_than, "anyway": anyway}
    row = await tx.first(CLAIM, {**values, **times})
    return None if row is None else token


async def claimed_until(tx: Transaction, asker: LookupAsker, key: LookupKey) -> datetime | None:
    """The end of the present claim to a question; None if it is not being asked."""
    found: datetime | None = await tx.scalar(CLAIMED_UNTIL, question_columns(asker, key))
    return found


async def answer(tx: Transaction, workspace_id: UUID, answers: Sequence[NewAnswer]) -> Mapping[UUID, AnsweredLookup]:
    """Store answers with their values. Returns their lookups by claim; nothing is stored for one that is over."""
    outcomes = [each.outcome for each in answers]
    values = {
        "claims": [each.claim for each in answers],
        "states": [outcome.state for outcome in outcomes],
        "answered": [outcome.answered_at for outcome in outcomes],
        "expire": [outcome.expires_at for outcome in outcomes],
        "sentences": [outcome.sentence for outcome in outcomes],
        "tickets": [None if outcome.ticket is None else outcome.ticket.ref for outcome in outcomes],
        "tickets_at": [None if outcome.ticket is None else outcome.ticket.not_before for outcome in outcomes],
        "failures": [outcome.failures for outcome in outcomes],
        "units": [outcome.units for outcome in outcomes],
        "provider_refs": [outcome.provider_ref for outcome in outcomes],
        "value_claims": [each.claim for each in answers for _ in each.outcome.facts],
    }
    asked = questions_columns([each.key for each in answers])
    found = fact_columns([fact for outcome in outcomes for fact in outcome.facts])
    rows = await tx.all(ANSWER, {"workspace_id": workspace_id, **asked, **values, **found})
    return {row.claim: AnsweredLookup(row.id, row.purchase_id) for row in rows}


async def release(tx: Transaction, asker: LookupAsker, key: LookupKey, claim: LookupClaim) -> None:
    """End a claim without an answer."""
    await tx.execute(RELEASE, {**question_columns(asker, key), "claim": claim.token})


async def pending(tx: Transaction, asker: LookupAsker, source: str) -> LookupKey | None:
    """The question about the subject to which a source gave a ticket whose answer is not there yet."""
    row = await tx.first(PENDING, {"workspace_id": asker.workspace_id, "source": source, **asker.subject})
    return None if row is None else LookupKey(source, row.question_hash, row.source_version)


async def end_claims(tx: Transaction, asker: LookupAsker) -> None:
    """End the claims of earlier attempts of the job to find something about a subject."""
    await tx.execute(END_CLAIMS, {"workspace_id": asker.workspace_id, "job_id": asker.job_id, **asker.subject})


def fact_columns(facts: Sequence[Fact]) -> dict[str, list[Any]]:
    """The values of facts, as arrays."""
    return {
        "value_ids": [new_id() for _ in facts],
        "fields": [fact.field.name for fact in facts],
        "values": [json.dumps(fact.value) for fact in facts],
        "confidences": [fact.confidence for fact in facts],
        "methods": [fact.receipt.method for fact in facts],
        "evidences": [fact.receipt.evidence for fact in facts],
        "urls": [fact.receipt.source_url for fact in facts],
        "quotes": [fact.receipt.quote for fact in facts],
        "observed": [fact.receipt.observed_at for fact in facts],
    }


def facts_of(catalog: FactCatalog, rows: Sequence[Row]) -> tuple[Fact, ...]:
    """The facts of stored values. Values of fields that only another release knows are left out."""
    facts = (fact_of(catalog, row) for row in rows)
    return tuple(fact for fact in facts if fact is not None)


def fact_of(catalog: FactCatalog, row: Row) -> Fact | None:
    """The fact of a stored value; None if this release does not know the field, or cannot read the value."""
    if row.field not in catalog:
        return None
    receipt = Receipt(row.method, row.evidence, row.observed_at, row.source_url, row.quote)
    try:
        return Fact.of(catalog[row.field], row.value, row.confidence, receipt)
    except InvalidValue:
        _log.warning("enrichment.unreadable_value", field=row.field)
        return None


_log = structlog.get_logger()


def question_columns(asker: LookupAsker, key: LookupKey) -> dict[str, Any]:
    """The columns by which a question is found."""
    return {"workspace_id": asker.workspace_id, "question_hash": key.fingerprint, "source": key.source}


def questions_columns(keys: Sequence[LookupKey]) -> dict[str, list[Any]]:
    """The columns by which questions are found, as arrays."""
    return {"question_hashes": [key.fingerprint for key in keys], "sources": [key.source for key in keys]}


def _outcome(row: Row, facts: Sequence[Fact]) -> LookupOutcome:
    return LookupOutcome(
        state=LookupState(row.state),
        answered_at=row.answered_at,
        expires_at=row.expires_at,
        facts=facts,
        sentence=row.sentence,
        ticket=None if row.ticket is None else Ticket(row.ticket, row.ticket_at),
        failures=row.failures,
        units=row.units,
        provider_ref=row.provider_ref,
    )
