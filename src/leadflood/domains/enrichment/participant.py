"""Lookups and values of leads: they move with their lead in a merge and back, and are deleted with it."""

from uuid import UUID

from leadflood.domains.enrichment.registry import standard_rules
from leadflood.domains.enrichment.service.choosing import choose_for_leads
from leadflood.domains.enrichment.service.effective import refresh_leads
from leadflood.domains.enrichment.store import merging
from leadflood.domains.enrichment.store.merging import MovedChoice
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_RUN = "run"
"""A lookup. The release that had runs of adapters stored them under this name, with the same IDs."""
_VALUE = "value"
"""A chosen value."""
_OF_LEAD = sql("t.lead_id = ANY (:ids::uuid[])")
_OF_LOOKUP = sql("""
t.lookup_id IN (SELECT id FROM lookups WHERE workspace_id = :workspace_id AND lead_id = ANY (:ids::uuid[]))
""")
_PLACES = (
    Place(name="chosenValues", table=sql("chosen_values"), found=sql("t.subject_id = ANY (:ids::uuid[])")),
    Place(name="enrichmentValues", table=sql("found_values"), found=_OF_LOOKUP),
    Place(
        name="enrichmentRuns",
        table=sql("lookups"),
        found=_OF_LEAD,
        record=sql("to_jsonb(t) - 'workspace_id' - 'question_hash'"),
    ),
    Place(name="latestEnrichmentRun", table=sql("lead_runs"), found=_OF_LEAD),
    Place(name="sourceTests", table=sql("source_tests"), found=_OF_LEAD),
    Place(name="rejectedValues", table=sql("rejected_values"), found=_OF_LEAD),
    Place(name="retractions", table=sql("retractions"), found=_OF_LEAD),
    Place(
        name="enrichmentBatches",
        table=sql("enrichment_batch_items"),
        found=sql("t.subject_id = ANY (:ids::uuid[])"),
        record=None,
    ),
    # Copied to the tables above, and still written by processes of the release before.
    Place(name="formerEnrichmentValues", table=sql("enrichment_values"), found=_OF_LEAD, record=None),
    Place(name="formerEnrichmentRuns", table=sql("enrichment_runs"), found=_OF_LEAD, record=None),
)


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    """The survivor's choices stay. A job that enriches the other lead finds it gone and writes nothing."""
    lookups, choices = await merging.reassign(tx, actor.workspace_id, from_lead=from_id, to_lead=to_id)
    await refresh_leads(tx, actor, lead_ids=[from_id, to_id])
    return [
        *(Reference(_RUN, lookup_id) for lookup_id in lookups),
        *(Reference(_VALUE, choice.value_id, choice.image) for choice in choices),
    ]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    lookups = [reference.id for reference in unmerging.references if reference.kind == _RUN]
    choices = [
        MovedChoice.of(reference.id, reference.before)
        for reference in unmerging.references
        if reference.kind == _VALUE and reference.before["chosen"]
    ]
    freed = await merging.restore(
        tx, actor.workspace_id, lookups, choices, holders=unmerging.holders, to_lead=unmerging.to_id
    )
    if freed:  # values that are no longer rejected compete again
        await choose_for_leads(tx, actor, lead_ids=freed, rules=standard_rules())
    await refresh_leads(tx, actor, lead_ids=[*unmerging.holders, unmerging.to_id])


PARTICIPANT = Participant(
    name="enrichment",
    subject=LEAD,
    places=_PLACES,
    kinds={_RUN: "runs", _VALUE: "values"},
    merge=_merge,
    unmerge=_unmerge,
)
