"""Runs and values of enrichment: they move with their lead in a merge and back, and are deleted with it."""

from uuid import UUID

from leadflood.domains.enrichment import store
from leadflood.domains.enrichment.models import MovedFindings
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_RUN = "run"
_VALUE = "value"
_OF_LEAD = sql("t.lead_id = ANY (:ids::uuid[])")
_OF_LOOKUP = sql("""
t.lookup_id IN (SELECT id FROM lookups WHERE workspace_id = :workspace_id AND lead_id = ANY (:ids::uuid[]))
""")
_PLACES = (
    Place(name="chosenValues", table=sql("chosen_values"), found=sql("t.subject_id = ANY (:ids::uuid[])"), record=None),
    Place(name="foundValues", table=sql("found_values"), found=_OF_LOOKUP, record=None),
    Place(name="lookups", table=sql("lookups"), found=_OF_LEAD, record=None),
    Place(name="enrichmentValues", table=sql("enrichment_values"), found=_OF_LEAD),
    Place(name="enrichmentRuns", table=sql("enrichment_runs"), found=_OF_LEAD),
)


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    """The survivor's chosen values stay chosen. A job that enriches the other lead finds it gone and writes nothing."""
    moved = await store.reassign_findings(tx, actor.workspace_id, from_lead=from_id, to_lead=to_id)
    return [
        *(Reference(_RUN, run_id) for run_id in moved.runs),
        *(Reference(_VALUE, value_id, {"chosen": chosen}) for value_id, chosen in moved.values.items()),
    ]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    runs = [reference.id for reference in unmerging.references if reference.kind == _RUN]
    values = {
        reference.id: bool(reference.before["chosen"]) for reference in unmerging.references if reference.kind == _VALUE
    }
    await store.restore_findings(
        tx, actor.workspace_id, MovedFindings(runs, values), holders=unmerging.holders, to_lead=unmerging.to_id
    )


PARTICIPANT = Participant(
    name="enrichment",
    subject=LEAD,
    places=_PLACES,
    kinds={_RUN: "runs", _VALUE: "values"},
    merge=_merge,
    unmerge=_unmerge,
)
