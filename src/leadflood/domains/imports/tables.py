"""The tables of imports."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from leadflood.kernel.db.schema import metadata

imports = Table(
    "imports",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("filename", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("size_bytes", BigInteger, nullable=False),
    Column("reserved_bytes", BigInteger),
    Column("sha256", LargeBinary),
    Column("utf8", Boolean, nullable=False),
    Column("format", JSONB, nullable=False),
    Column("sheets", ARRAY(Text), nullable=False),
    Column("columns", JSONB, nullable=False),
    Column("sample", JSONB, nullable=False),
    Column("fingerprint", Text),
    Column("options", JSONB, nullable=False),
    Column("job_id", Uuid),
    Column("changeset_id", Uuid),
    Column("staged_bytes", BigInteger, nullable=False),
    Column("staged_through", Integer, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("faults", JSONB, nullable=False),
    Column("committed_through", Integer, nullable=False),
    Column("phase_offset", BigInteger, nullable=False),
    Column("enriched_through", Integer, nullable=False),
    Column("error", Text),
    Column("phase_started_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
)

import_chunks = Table(
    "import_chunks",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("import_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

import_rows = Table(
    "import_rows",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("import_id", Uuid, primary_key=True),
    Column("row_no", Integer, primary_key=True),
    Column("action", Text, nullable=False),
    Column("reason", Text),
    Column("lead_id", Uuid),
    Column("lead_version", Integer),
    Column("email", Text),
    Column("email_norm", Text),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("company", Text),
    Column("job_title", Text),
    Column("phone", Text),
    Column("website", Text),
    Column("country", Text),
    Column("source", Text),
    Column("owner_id", Uuid),
    Column("custom_fields", JSONB),
    Column("search_text", Text),
    Column("changes", JSONB),
    Column("faults", JSONB),
    Column("raw", JSONB),
)

import_mappings = Table(
    "import_mappings",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("targets", ARRAY(Text), nullable=False),
    Column("options", JSONB, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
