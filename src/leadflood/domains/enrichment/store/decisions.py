"""SQL of decisions about found values: pins, corrections and rejections of one field of a lead or company."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.models.decisions import FieldDecisions, Subject
from leadflood.domains.enrichment.models.facts import MANUAL, Fact
from leadflood.domains.enrichment.store.lookups import fact_columns
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# The pinned choices of a field, as JSON.
PINS = sql("""
SELECT coalesce(jsonb_agg(jsonb_build_object(
           'item', item, 'lookup_id', lookup_id, 'value_id', value_id, 'confidence', confidence,
           'actor_kind', actor_kind, 'actor_id', actor_id, 'chosen_at', chosen_at) ORDER BY item), '[]') AS pins
FROM chosen_values
WHERE workspace_id = :workspace_id AND subject_id = :subject_id AND field = :field AND because = 'pinned'
""")

# The corrections of a field that count, as JSON.
CORRECTIONS = sql("""
SELECT coalesce(jsonb_agg(DISTINCT l.id), '[]') AS corrections
FROM lookups l JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id
WHERE l.workspace_id = :workspace_id AND (l.lead_id = :lead_id OR l.company_id = :company_id) AND l.source = :manual
  AND v.field = :field AND v.retraction_id IS NULL
""")

# The rejected values of a field, as JSON.
REJECTED = sql("""
SELECT coalesce(jsonb_agg(to_jsonb(r) - 'workspace_id' ORDER BY r.id), '[]') AS rejected
FROM rejected_values r
WHERE r.workspace_id = :workspace_id AND (r.lead_id = :lead_id OR r.company_id = :company_id) AND r.field = :field
""")

# Pin a value: it is the choice whatever is found later.
PIN = sql("""
INSERT INTO chosen_values AS c (workspace_id, subject_kind, subject_id, field, item, lookup_id, value_id, confidence,
                                because, chosen_at, actor_kind, actor_id)
VALUES (:workspace_id, :subject_kind, :subject_id, :field, :item, :lookup_id, :value_id, 1, 'pinned', now(),
        :actor_kind, :actor_id)
ON CONFLICT (workspace_id, subject_id, field, item) DO UPDATE
SET lookup_id = excluded.lookup_id, value_id = excluded.value_id, confidence = 1, because = 'pinned',
    chosen_at = excluded.chosen_at, actor_kind = excluded.actor_kind, actor_id = excluded.actor_id
WHERE (c.value_id, c.because) IS DISTINCT FROM (excluded.value_id, 'pinned')
""")

# Remove pins of a field, all or those of some items.
UNPIN = sql("""
DELETE FROM chosen_values
WHERE workspace_id = :workspace_id AND subject_id = :subject_id AND field = :field AND because = 'pinned'
  AND (:items::text[] IS NULL OR item = ANY (:items))
""")

# Restore pins, also in place of others or not.
GIVE_PINS = sql("""
INSERT INTO chosen_values AS c (workspace_id, subject_kind, subject_id, field, item, lookup_id, value_id, confidence,
                                because, chosen_at, actor_kind, actor_id)
SELECT :workspace_id, n.subject_kind, n.subject_id, n.field, n.item, n.lookup_id, n.value_id, n.confidence, 'pinned',
       n.chosen_at, n.actor_kind, n.actor_id
FROM jsonb_to_recordset(:pins::jsonb)
     AS n (subject_kind text, subject_id uuid, field text, item text, lookup_id uuid, value_id uuid, confidence float8,
           chosen_at timestamptz, actor_kind text, actor_id uuid)
JOIN found_values v ON v.workspace_id = :workspace_id AND v.lookup_id = n.lookup_id AND v.id = n.value_id
                   AND v.retraction_id IS NULL
ON CONFLICT (workspace_id, subject_id, field, item) DO UPDATE
SET lookup_id = excluded.lookup_id, value_id = excluded.value_id, confidence = excluded.confidence, because = 'pinned',
    chosen_at = excluded.chosen_at, actor_kind = excluded.actor_kind, actor_id = excluded.actor_id
WHERE :over_pins OR c.because <> 'pinned'
""")

# Write a correction.
CORRECT = sql("""
WITH answered AS (
    INSERT INTO lookups (workspace_id, id, lead_id, company_id, source, source_version, state, answered_at, expires_at,
                         actor_kind, actor_id)
    VALUES (:workspace_id, :id, :lead_id, :company_id, :manual, '1', 'found', now(), now(), :actor_kind, :actor_id)
)
INSERT INTO found_values (workspace_id, lookup_id, id, field, value, confidence, method, evidence, observed_at)
SELECT :workspace_id, :id, v.id, v.field, v.value::jsonb, v.confidence, v.method, v.evidence, v.observed_at
FROM unnest(:value_ids::uuid[], :fields::text[], :values::text[], :confidences::float8[], :methods::text[],
            :evidences::text[], :observed::timestamptz[])
     AS v (id, field, value, confidence, method, evidence, observed_at)
RETURNING id
""")

# Void the corrections of a field but for some; these count.
SET_CORRECTIONS = sql("""
UPDATE found_values v
SET retraction_id = CASE WHEN v.lookup_id = ANY (:lookup_ids::uuid[]) THEN NULL ELSE :void_id::uuid END
FROM lookups l
WHERE l.workspace_id = :workspace_id AND (l.lead_id = :lead_id OR l.company_id = :company_id) AND l.source = :manual
  AND v.workspace_id = l.workspace_id AND v.lookup_id = l.id AND v.field = :field
  AND (v.retraction_id IS NULL) <> (v.lookup_id = ANY (:lookup_ids::uuid[]))
""")

# Reject a value of a source.
REJECT = sql("""
INSERT INTO rejected_values (workspace_id, id, lead_id, company_id, field, source, value_key, value, actor_kind,
                             actor_id)
SELECT :workspace_id, n.id, :lead_id, :company_id, :field, n.source, :key, :value::jsonb, :actor_kind, :actor_id
FROM unnest(:ids::uuid[], :sources::text[]) AS n (id, source)
ON CONFLICT DO NOTHING
""")

# Remove the rejections of a value, or of all values, of one source or of all.
UNREJECT = sql("""
DELETE FROM rejected_values
WHERE workspace_id = :workspace_id AND (lead_id = :lead_id OR company_id = :company_id) AND field = :field
  AND (:key::text IS NULL OR value_key = :key) AND (:source::text IS NULL OR source = :source)
""")

# Restore rejections of a field.
GIVE_REJECTED = sql("""
INSERT INTO rejected_values (workspace_id, id, lead_id, company_id, field, source, value_key, value, actor_kind,
                             actor_id, created_at)
SELECT :workspace_id, n.id, :lead_id, :company_id, :field, n.source, n.value_key, n.value, n.actor_kind, n.actor_id,
       n.created_at
FROM jsonb_to_recordset(:rejected::jsonb) AS n (id uuid, source text, value_key text, value jsonb, actor_kind text,
                                                actor_id uuid, created_at timestamptz)
ON CONFLICT DO NOTHING
""")

# Let the survivor of a merge reject what the other lead or company rejected.
COPY_REJECTED = sql("""
INSERT INTO rejected_values (workspace_id, id, lead_id, company_id, field, source, value_key, value, actor_kind,
                             actor_id, created_at)
SELECT workspace_id, gen_random_uuid(), CASE WHEN lead_id IS NOT NULL THEN :to_id::uuid END,
       CASE WHEN company_id IS NOT NULL THEN :to_id::uuid END, field, source, value_key, value, actor_kind, actor_id,
       created_at
FROM rejected_values WHERE workspace_id = :workspace_id AND (lead_id = :from_id OR company_id = :from_id)
ON CONFLICT DO NOTHING
""")

# Remove the copies of a subject's rejections from those that had them by merges. A copy has the time of its original;
# a rejection of the survivor's own does not.
REMOVE_COPIED = sql("""
DELETE FROM rejected_values r USING rejected_values own
WHERE own.workspace_id = :workspace_id AND (own.lead_id = :of_id OR own.company_id = :of_id)
  AND r.workspace_id = own.workspace_id
  AND (r.lead_id = ANY (:holders::uuid[]) OR r.company_id = ANY (:holders::uuid[]))
  AND (r.field, r.source, r.value_key, r.created_at) = (own.field, own.source, own.value_key, own.created_at)
RETURNING coalesce(r.lead_id, r.company_id) AS id
""")


def _chosen(actor: Actor, subject: Subject, field: str) -> dict[str, Any]:
    """The keys of choices, which have one column for both kinds of subject."""
    return {"workspace_id": actor.workspace_id, "subject_id": subject.id, "field": field}


def _owned(actor: Actor, subject: Subject, field: str) -> dict[str, Any]:
    """The keys of answers and rejections, which have a column for each kind."""
    owner = {"lead_id": subject.lead_id, "company_id": subject.company_id}
    return {"workspace_id": actor.workspace_id, **owner, "field": field}


async def read(tx: Transaction, actor: Actor, subject: Subject, field: str) -> FieldDecisions:
    """The decisions about a field of a locked subject."""
    owned = _owned(actor, subject, field)
    pins = await tx.scalar(PINS, _chosen(actor, subject, field))
    corrections = await tx.scalar(CORRECTIONS, {**owned, "manual": MANUAL})
    return FieldDecisions(pins, corrections, await tx.scalar(REJECTED, owned))


async def pin(
    tx: Transaction, actor: Actor, subject: Subject, field: str, *, item: str, lookup_id: UUID, value_id: UUID
) -> None:
    """Pin a stored value."""
    values = {"item": item, "lookup_id": lookup_id, "value_id": value_id, "subject_kind": subject.kind}
    by = {"actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(PIN, {**_chosen(actor, subject, field), **values, **by})


async def unpin(
    tx: Transaction, actor: Actor, subject: Subject, field: str, items: Sequence[str] | None = None
) -> None:
    """Remove pins of a field: all, or those of some items."""
    await tx.execute(UNPIN, {**_chosen(actor, subject, field), "items": None if items is None else list(items)})


async def correct(tx: Transaction, actor: Actor, subject: Subject, fact: Fact) -> tuple[UUID, UUID]:
    """Store a value of a person. Returns its lookup and its ID."""
    lookup_id = new_id()
    columns = fact_columns([fact])
    values = {name: columns[name] for name in _WRITTEN}
    owner = {"lead_id": subject.lead_id, "company_id": subject.company_id, "manual": MANUAL, "id": lookup_id}
    by = {"workspace_id": actor.workspace_id, "actor_kind": actor.kind, "actor_id": actor.id}
    value_id: UUID = await tx.scalar(CORRECT, {**owner, **by, **values})
    return lookup_id, value_id


async def set_corrections(
    tx: Transaction, actor: Actor, subject: Subject, field: str, lookup_ids: Sequence[str], *, void_id: UUID
) -> None:
    """Let the corrections of a field in these lookups count, and no others."""
    values = {"manual": MANUAL, "lookup_ids": [UUID(item) for item in lookup_ids], "void_id": void_id}
    await tx.execute(SET_CORRECTIONS, {**_owned(actor, subject, field), **values})


async def reject(tx: Transaction, actor: Actor, subject: Subject, fact: Fact, sources: Sequence[str]) -> None:
    """Reject a value of these sources."""
    values = {"key": fact.key, "value": json.dumps(fact.value), "sources": list(sources)}
    by = {"ids": [new_id() for _ in sources], "actor_kind": actor.kind, "actor_id": actor.id}
    await tx.execute(REJECT, {**_owned(actor, subject, fact.field.name), **values, **by})


async def unreject(
    tx: Transaction,
    actor: Actor,
    subject: Subject,
    field: str,
    *,
    key: str | None,
    source: str | None = None,
) -> None:
    """Remove the rejections of a value, or of all values, of one source or of all."""
    await tx.execute(UNREJECT, {**_owned(actor, subject, field), "key": key, "source": source})


async def restore(
    tx: Transaction, actor: Actor, subject: Subject, field: str, decisions: FieldDecisions, *, void_id: UUID
) -> None:
    """Make the decisions about a field those of an earlier state."""
    await unpin(tx, actor, subject, field)
    await set_corrections(tx, actor, subject, field, decisions.corrections, void_id=void_id)
    await unreject(tx, actor, subject, field, key=None)
    await tx.execute(GIVE_REJECTED, {**_owned(actor, subject, field), "rejected": json.dumps([*decisions.rejected])})
    of_field = {"subject_kind": subject.kind, "subject_id": str(subject.id), "field": field}
    await give_pins(tx, actor.workspace_id, [{**of_field, **pin} for pin in decisions.pins], over_pins=True)


async def give_pins(tx: Transaction, workspace_id: UUID, pins: Sequence[Mapping[str, Any]], *, over_pins: bool) -> None:
    """Restore pins with their authors, of any subjects. `over_pins`: also where another value is pinned now."""
    if pins:
        values = {"pins": json.dumps([dict(pin) for pin in pins]), "over_pins": over_pins}
        await tx.execute(GIVE_PINS, {"workspace_id": workspace_id, **values})


async def copy_rejections(tx: Transaction, workspace_id: UUID, *, from_id: UUID, to_id: UUID) -> None:
    """Let the survivor of a merge reject what the other lead or company rejected, too."""
    await tx.execute(COPY_REJECTED, {"workspace_id": workspace_id, "from_id": from_id, "to_id": to_id})


async def remove_copied_rejections(
    tx: Transaction, workspace_id: UUID, *, of_id: UUID, holders: Sequence[UUID]
) -> list[UUID]:
    """The opposite, for the undo of a merge: from all leads or companies to which later merges copied them.

    Returns those that no longer reject something.
    """
    values = {"workspace_id": workspace_id, "of_id": of_id, "holders": list(holders)}
    return sorted({row.id for row in await tx.all(REMOVE_COPIED, values)})


_WRITTEN = ("value_ids", "fields", "values", "confidences", "methods", "evidences", "observed")
