"""Data that leads itself has about a person: the lead, its timeline, changesets and their images, saved views."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.queries.personal_data import merge_partners, same_leads
from leadflood.domains.leads.timeline import TIMELINE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import DataSubject, Participant, Place

# Replace the person's identifiers in the label and the request of changesets.
_REDACT_CHANGESETS = sql("""
UPDATE {table} t
SET label = regexp_replace(t.label, :pattern, '[erased]', 'gi'), request = redacted(t.request, :pattern)
WHERE t.workspace_id = :workspace_id AND ({found})
""")

# Delete the values that were set.
_REMOVE_VALUES = sql("""
UPDATE {table} t SET request = t.request - 'changes' WHERE t.workspace_id = :workspace_id AND ({found})
""")

# Replace the person's identifiers in saved views.
_REDACT_VIEWS = sql("""
UPDATE {table} t
SET name = regexp_replace(t.name, :pattern, '[erased]', 'gi'), filter = redacted(t.filter, :pattern),
    tree = redacted(t.tree, :pattern), version = t.version + 1, updated_at = now()
WHERE t.workspace_id = :workspace_id AND ({found})
""")

# The timeline is append-only: one function of the schema replaces the values that merges wrote into it.
_REDACT_TIMELINES = sql("""
SELECT erase_from_timelines(:partner_ids::uuid[], :merge_ids::text[], :merge_changeset_ids::text[])
""")

# The history is append-only as well.
_REDACT_HISTORY = sql("SELECT erase_from_field_history(:partner_ids::uuid[], :merge_changeset_ids::text[])")

_OF_LEAD = sql("t.lead_id = ANY (:ids::uuid[])")
_PLACES = (
    Place(
        name="savedViews",
        table=sql("saved_views"),
        found=sql("""
lower(t.name) LIKE ANY (:fragments::text[]) OR lower(t.filter::text) LIKE ANY (:fragments::text[])
OR lower(t.tree::text) LIKE ANY (:fragments::text[])
"""),
        erase=_REDACT_VIEWS,
        record=None,
    ),
    # A merge that was undone left values of the one lead in the timeline of the other.
    Place(
        name="timelinesOfOthers",
        table=sql("lead_events"),
        found=sql("""
t.lead_id = ANY (:partner_ids::uuid[])
AND (t.data ->> 'mergeId' = ANY (:merge_ids::text[]) OR t.data ->> 'changesetId' = ANY (:merge_changeset_ids::text[]))
"""),
        erase=_REDACT_TIMELINES,
        record=None,
    ),
    Place(
        name="changesets",
        table=sql("lead_changesets"),
        found=sql(
            "lower(t.label) LIKE ANY (:fragments::text[]) OR lower(t.request::text) LIKE ANY (:fragments::text[])"
        ),
        erase=_REDACT_CHANGESETS,
        record=None,
    ),
    # Finished changes of this person's leads only: the values that they set are personal data.
    Place(
        name="changesetValues",
        table=sql("lead_changesets"),
        found=sql("""
t.request ? 'changes' AND t.status <> 'open'
AND EXISTS (SELECT FROM lead_changes c
            WHERE c.workspace_id = :workspace_id AND c.changeset_id = t.id AND c.lead_id = ANY (:ids::uuid[]))
AND NOT EXISTS (SELECT FROM lead_changes c
                WHERE c.workspace_id = :workspace_id AND c.changeset_id = t.id AND c.lead_id <> ALL (:ids::uuid[]))
"""),
        erase=_REMOVE_VALUES,
        record=None,
    ),
    # The changeset of such a merge has them as well. It is undone, so its images are no longer needed.
    Place(
        name="changesOfOthers",
        table=sql("lead_changes"),
        found=sql("""
(t.changeset_id, t.lead_id) IN (
    SELECT s.id, p.id FROM lead_changesets s CROSS JOIN unnest(:partner_ids::uuid[]) AS p (id)
    WHERE s.workspace_id = :workspace_id AND s.kind = 'merge' AND s.id::text = ANY (:merge_changeset_ids::text[]))
"""),
        record=None,
    ),
    Place(
        name="changes",
        table=sql("lead_changes"),
        found=sql("""
(t.changeset_id, t.lead_id) IN (
    SELECT s.id, p.id FROM lead_changesets s CROSS JOIN unnest(:ids::uuid[]) AS p (id)
    WHERE s.workspace_id = :workspace_id)
"""),
    ),
    TIMELINE.place(),
    # Values that a merge wrote into the other lead, and that its undo reverted.
    Place(
        name="historyOfOthers",
        table=sql("lead_field_history"),
        found=sql("""
t.lead_id = ANY (:partner_ids::uuid[]) AND t.changeset_id::text = ANY (:merge_changeset_ids::text[])
"""),
        erase=_REDACT_HISTORY,
        record=None,
    ),
    Place(
        name="history",
        table=sql("lead_field_history"),
        found=_OF_LEAD,
        erase=None,
    ),
    # Filter tables of custom fields, whose rows triggers delete with the lead.
    Place(
        name="customTexts",
        table=sql("lead_field_texts"),
        found=_OF_LEAD,
        erase=None,
        record=None,
    ),
    Place(
        name="customNumbers",
        table=sql("lead_field_numbers"),
        found=_OF_LEAD,
        erase=None,
        record=None,
    ),
    Place(
        name="leads",
        table=sql("leads"),
        found=sql("t.id = ANY (:ids::uuid[])"),
        record=sql("to_jsonb(t) - '{workspace_id,search_text}'::text[]"),
    ),
)


async def _related(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> Iterable[UUID]:
    """Leads that have or had the same email are one person."""
    return await same_leads(tx, actor, lead_ids=lead_ids)


async def _prepare(tx: Transaction, actor: Actor, person: DataSubject) -> Mapping[str, Any]:
    return await merge_partners(tx, actor, lead_ids=sorted(person.ids))


PARTICIPANT = Participant(name="leads", subject=LEAD, places=_PLACES, related=_related, prepare=_prepare)
