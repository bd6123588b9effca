"""Data that identity stores about subjects of any kind: audit entries, and stored responses to repeated requests."""

from leadflood.kernel.db.sql import sql
from leadflood.kernel.idempotency import PERSONAL_ANSWERS
from leadflood.kernel.subjects import Participant, Place

# The log is append-only: one function of the schema replaces texts in it, and nothing else can.
_REDACT = sql("SELECT erase_from_audit_log(:pattern, :fragments::text[])")

# Entries about accounts of this installation stay: they concern the person as a user, not as a lead.
_NAMED = sql("""
t.subject_type NOT IN ('user', 'member', 'invitation', 'session')
AND lower(t.data::text) LIKE ANY (:fragments::text[]) AND redacted(t.data, :pattern) <> t.data
""")

PARTICIPANT = Participant(
    name="identity",
    places=(
        Place(
            name="auditLog",
            table=sql("audit_events"),
            found=_NAMED,
            erase=_REDACT,
            exported=sql("t.subject_id = ANY (:ids::uuid[])"),
        ),
        PERSONAL_ANSWERS,
    ),
)
