"""The table of invitations."""

from sqlalchemy import Column, DateTime, Integer, LargeBinary, Table, Text, Uuid

from leadflood.kernel.db.schema import metadata

invitations = Table(
    "invitations",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_norm", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("invited_by", Uuid),
    Column("token_hash", LargeBinary, nullable=False),
    Column("job_id", Uuid),
    Column("sends", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_sent_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("accepted_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)
