"""SQL that writes lookups and values of leads, and moves them with a merge."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from leadflood.domains.enrichment.models.choosing import Because, ChosenFact
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.lookups import LookupState
from leadflood.domains.enrichment.models.sources import SourceSpec
from leadflood.domains.enrichment.store.competing import StoredFact
from leadflood.domains.enrichment.store.lookups import fact_columns
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

WRITE_ANSWERS = sql_file("leadflood.domains.enrichment.sql", "write_answers")

# The sources whose answers for jobs are stored.
_ANSWERED = sql("""
SELECT job_id, source FROM lookups
WHERE workspace_id = :workspace_id AND lead_id = ANY (:lead_ids) AND job_id = ANY (:job_ids)
  AND answered_at IS NOT NULL
""")

# Remove choices that are no longer made. What a person pinned stays. For one subject at a time: of several, PostgreSQL
# was seen to read all choices of the workspace.
_UNCHOOSE = sql("""
DELETE FROM chosen_values
WHERE workspace_id = :workspace_id AND subject_id = :subject_id AND because <> 'pinned'
  AND (field, item) NOT IN (SELECT * FROM unnest(:fields::text[], :items::text[]))
""")

# Choose stored values.
_CHOOSE = sql("""
INSERT INTO chosen_values AS c (workspace_id, subject_kind, subject_id, field, item, lookup_id, value_id, confidence,
                                because)
SELECT :workspace_id, :subject_kind, n.*
FROM unnest(:owners::uuid[], :fields::text[], :items::text[], :lookup_ids::uuid[], :value_ids::uuid[],
            :confidences::float8[], :reasons::text[]) AS n
ON CONFLICT (workspace_id, subject_id, field, item) DO UPDATE
SET lookup_id = excluded.lookup_id, value_id = excluded.value_id, confidence = excluded.confidence,
    because = excluded.because, chosen_at = now()
WHERE c.because <> 'pinned' AND (c.value_id, c.confidence, c.because)
                                IS DISTINCT FROM (excluded.value_id, excluded.confidence, excluded.because)
""")


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """An answer of a source that answers without waiting. `sentence`: why there are no facts."""

    spec: SourceSpec
    asked_at: datetime
    facts: Sequence[Fact] = ()
    sentence: str = ""
    lookup_id: UUID = field(default_factory=new_id)

    @property
    def state(self) -> LookupState:
        """Whether it found something."""
        return LookupState.FOUND if self.facts else LookupState.MISSED


@dataclass(frozen=True, slots=True)
class Choice:
    """The choice of a fact. `item`: its key where the field has several values, otherwise empty."""

    fact: Fact
    confidence: float
    because: Because
    item: str = ""

    @classmethod
    def of(cls, chosen: ChosenFact) -> "Choice":
        """The choice of the best fact."""
        fact = chosen.best.fact
        return cls(fact, chosen.confidence, chosen.because, fact.key if chosen.field.multiple else "")


@dataclass(frozen=True, slots=True)
class LeadAnswers:
    """Answers about a lead that are not stored yet, and the choices among their facts."""

    lead_id: UUID
    job_id: UUID
    answers: Sequence[SourceAnswer]
    choices: Mapping[int, Choice]
    """By identity of the fact."""


async def answered(
    tx: Transaction, workspace_id: UUID, *, lead_ids: Sequence[UUID], job_ids: Sequence[UUID]
) -> dict[UUID, set[str]]:
    """The sources whose answers an earlier attempt of these jobs stored, by job."""
    found: dict[UUID, set[str]] = {job_id: set() for job_id in job_ids}
    if job_ids:
        values = {"workspace_id": workspace_id, "lead_ids": list(lead_ids), "job_ids": list(job_ids)}
        for row in await tx.all(_ANSWERED, values):
            found[row.job_id].add(row.source)
    return found


async def write_answers(tx: Transaction, workspace_id: UUID, written: Sequence[LeadAnswers]) -> None:
    """Store answers with their facts, and choose facts among them."""
    answers = [(item, answer) for item in written for answer in item.answers]
    facts = [(item, answer, fact) for item, answer in answers for fact in answer.facts]
    choices = [item.choices.get(id(fact)) for item, _, fact in facts]
    await tx.execute(
        WRITE_ANSWERS,
        {
            "workspace_id": workspace_id,
            "ids": [answer.lookup_id for _, answer in answers],
            "lead_ids": [item.lead_id for item, _ in answers],
            "sources": [answer.spec.name for _, answer in answers],
            "versions": [answer.spec.version for _, answer in answers],
            "states": [answer.state for _, answer in answers],
            "job_ids": [item.job_id for item, _ in answers],
            "sentences": [answer.sentence for _, answer in answers],
            "asked": [answer.asked_at for _, answer in answers],
            "lookup_ids": [answer.lookup_id for _, answer, _ in facts],
            "subject_ids": [item.lead_id for item, _, _ in facts],
            **fact_columns([fact for _, _, fact in facts]),
            "items": [choice.item if choice else "" for choice in choices],
            "certainties": [choice.confidence if choice else None for choice in choices],
            "reasons": [choice.because if choice else None for choice in choices],
        },
    )


async def unchoose(tx: Transaction, workspace_id: UUID, kept: Mapping[UUID, Collection[Choice]]) -> None:
    """Remove the choices of leads or companies for other fields and items than these, by subject."""
    for subject_id, choices in kept.items():
        columns = {
            "fields": [choice.fact.field.name for choice in choices],
            "items": [choice.item for choice in choices],
        }
        await tx.execute(_UNCHOOSE, {"workspace_id": workspace_id, "subject_id": subject_id, **columns})


async def choose(
    tx: Transaction,
    workspace_id: UUID,
    kind: SubjectKind,
    chosen: Mapping[UUID, Sequence[tuple[StoredFact, Choice]]],
) -> None:
    """Choose stored facts of leads or companies, by subject."""
    rows = [(subject_id, *pair) for subject_id, pairs in chosen.items() for pair in pairs]
    if not rows:
        return
    await tx.execute(
        _CHOOSE,
        {
            "workspace_id": workspace_id,
            "subject_kind": kind,
            "owners": [subject_id for subject_id, _, _ in rows],
            "fields": [choice.fact.field.name for _, _, choice in rows],
            "items": [choice.item for _, _, choice in rows],
            "lookup_ids": [stored.lookup_id for _, stored, _ in rows],
            "value_ids": [stored.value_id for _, stored, _ in rows],
            "confidences": [choice.confidence for _, _, choice in rows],
            "reasons": [choice.because for _, _, choice in rows],
        },
    )
