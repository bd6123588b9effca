"""Data of rules about a lead. Merges leave it: the tier of the survivor changes with its facts, and rules run then."""

from leadflood.domains.leads.events import LEAD
from leadflood.kernel.db.sql import sql
from leadflood.kernel.subjects import Participant, Place

_OF_LEAD = sql("t.lead_id = ANY (:ids::uuid[])")
_RECORD = sql("jsonb_build_object('ruleId', t.rule_id, 'outcome', t.outcome, 'results', t.results, 'ranAt', t.ran_at)")

PARTICIPANT = Participant(
    name="rules",
    subject=LEAD,
    places=[
        Place(name="ruleRuns", table=sql("rule_runs"), found=_OF_LEAD, record=_RECORD),
        Place(name="ruleMembers", table=sql("rule_members"), found=_OF_LEAD, record=None),
        Place(name="ruleMarks", table=sql("rule_marks"), found=_OF_LEAD, record=None),
    ],
)
