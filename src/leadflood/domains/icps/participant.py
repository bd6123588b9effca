"""Data of profiles about a lead. Scores and facts follow the lead: merges and undos change what they are made of."""

from leadflood.domains.leads.events import LEAD
from leadflood.kernel.db.sql import sql
from leadflood.kernel.subjects import Participant, Place

_OF_LEAD = sql("t.lead_id = ANY (:ids::uuid[])")
_RECORD = sql("""
jsonb_build_object('versionId', t.version_id, 'score', t.score, 'lo', t.lo, 'hi', t.hi, 'tier', t.tier,
                   'excludedBy', t.excluded_by, 'scoredAt', t.scored_at)
""")

PARTICIPANT = Participant(
    name="icps",
    subject=LEAD,
    places=[
        Place(name="icpScores", table=sql("icp_scores"), found=_OF_LEAD, record=_RECORD),
        Place(name="icpFacts", table=sql("icp_facts"), found=sql("t.subject_id = ANY (:ids::uuid[])"), record=None),
        Place(name="icpPending", table=sql("icp_pending"), found=_OF_LEAD, record=None),
    ],
)
