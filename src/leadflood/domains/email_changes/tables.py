"""The table of changes of an address. A closed row is kept for a while: it counts for the limit on mails."""

from sqlalchemy import Column, DateTime, Integer, LargeBinary, Table, Text, Uuid

from leadflood.kernel.db.schema import metadata

email_changes = Table(
    "email_changes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("job_workspace_id", Uuid),
    Column("email", Text, nullable=False),
    Column("email_norm", Text, nullable=False),
    Column("former_email", Text, nullable=False),
    Column("former_email_norm", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("sending", Integer, nullable=False),
    Column("job_id", Uuid),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("last_sent_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
)
