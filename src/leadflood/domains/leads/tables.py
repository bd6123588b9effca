"""The tables of leads."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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

lead_changesets = Table(
    "lead_changesets",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("job_id", Uuid),
    Column("wanted", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("deleted", BigInteger, nullable=False),
    Column("restored", BigInteger, nullable=False),
    Column("undone", BigInteger, nullable=False),
    Column("kept", BigInteger, nullable=False),
    Column("kept_leads", BigInteger, nullable=False),
    Column("position", JSONB(none_as_null=True)),
    Column("undo_position", Uuid),
    Column("undone_by_kind", Text),
    Column("undone_by", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("applied_at", DateTime(timezone=True)),
    Column("undone_at", DateTime(timezone=True)),
    Column("forgotten_at", DateTime(timezone=True)),
)

lead_changes = Table(
    "lead_changes",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("changeset_id", Uuid, primary_key=True),
    Column("lead_id", Uuid, primary_key=True),
    Column("change", Text, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB, nullable=False),
    Column("kept", ARRAY(Text)),
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("of_workspace", Boolean, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("sort", Text, nullable=False),
    Column("columns", ARRAY(Text), nullable=False),
    Column("position", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
