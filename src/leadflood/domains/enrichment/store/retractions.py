"""SQL that retracts and restores values."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.retractions import RetractionScope
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

# The lookups `l` of a scope, and their values `v`.
_HITS = sql("""
l.workspace_id = :workspace_id AND l.source = :source AND l.state = 'found' AND l.answered_at >= :since
  AND l.answered_at < :until AND (:lead_id::uuid IS NULL OR l.lead_id = :lead_id)
  AND (:company_id::uuid IS NULL OR l.company_id = :company_id)
""")
_VALUES = sql("v.retraction_id IS NULL AND (:field::text IS NULL OR v.field = :field)")

# The values of a scope, the leads and companies that they are about, and how many of them are chosen.
COUNT = assemble(
    sql("""
SELECT count(*) AS found, count(DISTINCT l.lead_id) AS leads, count(DISTINCT l.company_id) AS companies,
       count(*) FILTER (WHERE EXISTS (
           SELECT FROM chosen_values c
           WHERE c.workspace_id = v.workspace_id AND c.lookup_id = v.lookup_id AND c.value_id = v.id)) AS chosen
FROM lookups l JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id
WHERE {hits} AND {values}
"""),
    hits=_HITS,
    values=_VALUES,
)

# The next leads, or companies, by ID with values of a scope. In the order of an index, so that each is read once.
_NEXT = sql("""
SELECT DISTINCT l.{subject} AS id FROM lookups l
WHERE {hits} AND l.{subject} IS NOT NULL AND (:after::uuid IS NULL OR l.{subject} > :after)
  AND EXISTS (SELECT FROM found_values v WHERE v.workspace_id = l.workspace_id AND v.lookup_id = l.id AND {values})
ORDER BY l.{subject} LIMIT :limit
""")
NEXT = {
    SubjectKind.LEAD: assemble(_NEXT, subject=sql("lead_id"), hits=_HITS, values=_VALUES),
    SubjectKind.COMPANY: assemble(_NEXT, subject=sql("company_id"), hits=_HITS, values=_VALUES),
}

# Companies that chose values of others: a register answered both with one lookup.
SHARING = assemble(
    sql("""
SELECT DISTINCT c.subject_id AS id
FROM lookups l JOIN chosen_values c ON c.workspace_id = l.workspace_id AND c.lookup_id = l.id
WHERE {hits} AND l.company_id = ANY (:subject_ids::uuid[]) AND c.subject_kind = 'company'
  AND c.subject_id <> ALL (:subject_ids::uuid[])
"""),
    hits=_HITS,
)

# Retract the values of a scope about some leads or companies, which are locked.
MARK = assemble(
    sql("""
UPDATE found_values v SET retraction_id = :retraction_id
FROM lookups l
WHERE {hits} AND (l.lead_id = ANY (:subject_ids::uuid[]) OR l.company_id = ANY (:subject_ids::uuid[]))
  AND v.workspace_id = l.workspace_id AND v.lookup_id = l.id AND {values}
RETURNING coalesce(l.lead_id, l.company_id) AS subject_id, v.lookup_id, v.field
"""),
    hits=_HITS,
    values=_VALUES,
)

# Remove the choices of retracted values that a person pinned.
TAKE_PINS = sql("""
DELETE FROM chosen_values c USING found_values v
WHERE c.workspace_id = :workspace_id AND c.lookup_id = ANY (:lookup_ids::uuid[]) AND c.because = 'pinned'
  AND v.workspace_id = c.workspace_id AND v.lookup_id = c.lookup_id AND v.id = c.value_id
  AND v.retraction_id = :retraction_id
RETURNING c.subject_kind, c.subject_id, c.field, c.item, c.lookup_id, c.value_id, c.confidence, c.chosen_at,
          c.actor_kind, c.actor_id
""")

# The leads and companies that lookups are about now: a merge may have moved them.
OWNERS = sql("""
SELECT DISTINCT lead_id, company_id FROM lookups WHERE workspace_id = :workspace_id AND id = ANY (:lookup_ids::uuid[])
""")

# Restore retracted values.
UNMARK = sql("""
UPDATE found_values SET retraction_id = NULL
WHERE workspace_id = :workspace_id AND lookup_id = ANY (:lookup_ids::uuid[]) AND retraction_id = :retraction_id
""")

# A new retraction.
INSERT = sql("""
INSERT INTO retractions (workspace_id, id, source, since, until, field, lead_id, company_id, actor_kind, actor_id)
VALUES (:workspace_id, :id, :source, :since, :until, :field, :lead_id, :company_id, :actor_kind, :actor_id)
""")

# A retraction that has not ended, locked.
LOCK = sql("""
SELECT id, source, since, until, field, lead_id, company_id, actor_kind, actor_id, position FROM retractions
WHERE workspace_id = :workspace_id AND id = :id AND ended_at IS NULL FOR NO KEY UPDATE
""")

# Count a part of a retraction.
ADVANCE = sql("""
UPDATE retractions
SET found = found + :found, leads = leads + :leads, companies = companies + :companies, position = :position::jsonb
WHERE workspace_id = :workspace_id AND id = :id AND ended_at IS NULL
""")

# Record the job of a retraction.
SET_JOB = sql("UPDATE retractions SET job_id = :job_id WHERE workspace_id = :workspace_id AND id = :id")

# End a retraction.
END = sql(
    "UPDATE retractions SET ended_at = now() WHERE workspace_id = :workspace_id AND id = :id AND ended_at IS NULL"
)

# Record that a retraction is undone.
UNDO = sql("""
UPDATE retractions SET undone_at = coalesce(undone_at, now()) WHERE workspace_id = :workspace_id AND id = :id
""")


@dataclass(frozen=True, slots=True)
class StoredRetraction:
    """A retraction that has not ended. `position`: the kind and ID of the last subject; None at the start."""

    id: UUID
    scope: RetractionScope
    actor_kind: str
    actor_id: UUID | None
    position: Mapping[str, str] | None


def _values(workspace_id: UUID, scope: RetractionScope) -> dict[str, Any]:
    return {
        "workspace_id": workspace_id,
        "source": scope.source,
        "since": scope.since,
        "until": scope.until,
        "field": scope.field,
        "lead_id": scope.lead_id,
        "company_id": scope.company_id,
    }


async def count(tx: Transaction, workspace_id: UUID, scope: RetractionScope) -> Row:
    """Numbers of values, leads, companies and chosen values of a scope."""
    (row,) = await tx.all(COUNT, _values(workspace_id, scope))
    return row


async def insert(tx: Transaction, actor: Actor, retraction_id: UUID, scope: RetractionScope) -> None:
    """A new retraction, at its start."""
    by = {"id": retraction_id, "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(INSERT, {**_values(actor.workspace_id, scope), **by})


async def lock(tx: Transaction, workspace_id: UUID, retraction_id: UUID) -> StoredRetraction | None:
    """A retraction, locked; None if it has ended."""
    row = await tx.first(LOCK, {"workspace_id": workspace_id, "id": retraction_id})
    if row is None:
        return None
    scope = RetractionScope(row.source, row.since, row.until, row.field, row.lead_id, row.company_id)
    return StoredRetraction(row.id, scope, row.actor_kind, row.actor_id, row.position)


async def set_job(tx: Transaction, workspace_id: UUID, retraction_id: UUID, job_id: UUID) -> None:
    """Record the job that carries a retraction on."""
    await tx.execute(SET_JOB, {"workspace_id": workspace_id, "id": retraction_id, "job_id": job_id})


async def next_subjects(
    tx: Transaction, workspace_id: UUID, scope: RetractionScope, kind: SubjectKind, *, after: UUID | None, limit: int
) -> list[UUID]:
    """The next leads or companies by ID with values of a scope."""
    rows = await tx.all(NEXT[kind], {**_values(workspace_id, scope), "after": after, "limit": limit})
    return [row.id for row in rows]


async def sharing(
    tx: Transaction, workspace_id: UUID, scope: RetractionScope, company_ids: Collection[UUID]
) -> list[UUID]:
    """Other companies that chose values of these."""
    rows = await tx.all(SHARING, {**_values(workspace_id, scope), "subject_ids": list(company_ids)})
    return [row.id for row in rows]


async def mark(
    tx: Transaction, workspace_id: UUID, retraction_id: UUID, scope: RetractionScope, subject_ids: Collection[UUID]
) -> Sequence[Row]:
    """Retract values about locked subjects. Returns `subject_id`, `lookup_id` and `field` of each."""
    values = {**_values(workspace_id, scope), "retraction_id": retraction_id, "subject_ids": list(subject_ids)}
    return await tx.all(MARK, values)


async def take_pins(
    tx: Transaction, workspace_id: UUID, retraction_id: UUID, lookup_ids: Collection[UUID]
) -> list[dict[str, Any]]:
    """Remove pinned choices of retracted values. Returns them, as JSON."""
    values = {"workspace_id": workspace_id, "retraction_id": retraction_id, "lookup_ids": list(lookup_ids)}
    return [{name: _plain(value) for name, value in dict(row).items()} for row in await tx.all(TAKE_PINS, values)]


async def owners(tx: Transaction, workspace_id: UUID, lookup_ids: Collection[UUID]) -> tuple[list[UUID], list[UUID]]:
    """The leads and the companies that lookups are about."""
    rows = await tx.all(OWNERS, {"workspace_id": workspace_id, "lookup_ids": list(lookup_ids)})
    leads = sorted({row.lead_id for row in rows if row.lead_id is not None})
    return leads, sorted({row.company_id for row in rows if row.company_id is not None})


async def unmark(tx: Transaction, workspace_id: UUID, retraction_id: UUID, lookup_ids: Collection[UUID]) -> None:
    """Restore the retracted values of lookups."""
    values = {"workspace_id": workspace_id, "retraction_id": retraction_id, "lookup_ids": list(lookup_ids)}
    await tx.execute(UNMARK, values)


async def advance(
    tx: Transaction,
    workspace_id: UUID,
    retraction_id: UUID,
    counts: Mapping[str, int],
    *,
    position: Mapping[str, str] | None,
) -> bool:
    """Add to the counts of a retraction; False if it has ended."""
    values = {"found": 0, "leads": 0, "companies": 0, **counts}
    at = None if position is None else json.dumps(dict(position))
    keys = {"workspace_id": workspace_id, "id": retraction_id, "position": at}
    return await tx.changed(ADVANCE, {**keys, **values}) == 1


async def end(tx: Transaction, workspace_id: UUID, retraction_id: UUID) -> bool:
    """End a retraction; False if it has ended already."""
    return await tx.changed(END, {"workspace_id": workspace_id, "id": retraction_id}) == 1


async def set_undone(tx: Transaction, workspace_id: UUID, retraction_id: UUID) -> None:
    """Record that a retraction is undone."""
    await tx.execute(UNDO, {"workspace_id": workspace_id, "id": retraction_id})


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value
