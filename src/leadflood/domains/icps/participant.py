"""Data of profiles about a lead. Scores and facts follow the lead: merges and undos change what they are made of.

Outcomes move with a merge.
"""

from uuid import UUID

from leadflood.domains.icps.store import outcomes
from leadflood.domains.leads.events import LEAD
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.subjects import Participant, Place, Reference, Unmerging

_OF_LEAD = sql("t.lead_id = ANY (:ids::uuid[])")
_RECORD = sql("""
jsonb_build_object('versionId', t.version_id, 'score', t.score, 'lo', t.lo, 'hi', t.hi, 'tier', t.tier,
                   'excludedBy', t.excluded_by, 'scoredAt', t.scored_at)
""")


async def _merge(tx: Transaction, actor: Actor, from_id: UUID, to_id: UUID) -> list[Reference]:
    moved = await outcomes.move_all(tx, actor.workspace_id, from_id, to_id)
    return [Reference("outcome", outcome_id) for outcome_id in moved]


async def _unmerge(tx: Transaction, actor: Actor, unmerging: Unmerging) -> None:
    outcome_ids = [each.id for each in unmerging.references]
    await outcomes.move_back(tx, actor.workspace_id, outcome_ids, holders=unmerging.holders, to_lead=unmerging.to_id)


PARTICIPANT = Participant(
    name="icps",
    subject=LEAD,
    places=[
        Place(name="outcomes", table=sql("icp_outcomes"), found=_OF_LEAD),
        Place(name="icpScores", table=sql("icp_scores"), found=_OF_LEAD, record=_RECORD),
        Place(name="icpFacts", table=sql("icp_facts"), found=sql("t.subject_id = ANY (:ids::uuid[])"), record=None),
        Place(name="icpPending", table=sql("icp_pending"), found=_OF_LEAD, record=None),
    ],
    kinds={"outcome": "outcomes"},
    merge=_merge,
    unmerge=_unmerge,
)
