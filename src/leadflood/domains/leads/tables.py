"""The tables of leads."""

from sqlalchemy import Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from leadflood.kernel.db.schema import metadata

leads = Table(
    "leads",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_norm", Text, nullable=False),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("company", Text),
    Column("job_title", Text),
    Column("phone", Text),
    Column("website", Text),
    Column("country", Text),
    Column("source", Text, nullable=False),
    Column("custom_fields", JSONB, nullable=False),
    Column("owner_id", Uuid),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("search_text", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("enriched_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
)

lead_events = Table(
    "lead_events",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("lead_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("data", JSONB, nullable=False),
)
