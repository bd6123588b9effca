"""Data of spending about a lead."""

from leadflood.domains.leads.events import LEAD
from leadflood.kernel.db.sql import sql
from leadflood.kernel.subjects import Participant, Place

# The sums of money stay, and say no longer about whom they were spent.
_CLEAR = sql("UPDATE {table} AS t SET subject_id = NULL WHERE t.workspace_id = :workspace_id AND {found}")
_PLACES = (
    Place(
        name="purchases",
        table=sql("purchases"),
        found=sql("t.subject_id = ANY (:ids::uuid[])"),
        erase=_CLEAR,
        record=sql("to_jsonb(t) - 'workspace_id' - 'windows'"),
    ),
    Place(
        name="avoidedCalls",
        table=sql("avoided_calls"),
        found=sql("t.subject_id = ANY (:ids::uuid[])"),
        erase=_CLEAR,
    ),
)

PARTICIPANT = Participant(name="spending", subject=LEAD, places=_PLACES)
