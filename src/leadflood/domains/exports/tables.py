"""The tables of exports."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from leadflood.kernel.db.schema import metadata

exports = Table(
    "exports",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("format", Text, nullable=False),
    Column("columns", ARRAY(Text), nullable=False),
    Column("bom", Boolean, nullable=False),
    Column("filter", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("job_id", Uuid, nullable=False),
    Column("resolved", ARRAY(Text)),
    Column("total", BigInteger),
    Column("done", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("position", JSONB(none_as_null=True)),
    Column("error", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

export_parts = Table(
    "export_parts",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("export_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
