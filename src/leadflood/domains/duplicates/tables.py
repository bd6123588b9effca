"""The tables of duplicates."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from leadflood.kernel.db.schema import metadata

duplicate_keys = Table(
    "duplicate_keys",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("key", BigInteger, primary_key=True),
    Column("lead_id", Uuid, primary_key=True),
)

duplicate_scans = Table(
    "duplicate_scans",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("status", Text, nullable=False),
    Column("job_id", Uuid),
    Column("since", DateTime(timezone=True)),
    Column("position_at", DateTime(timezone=True)),
    Column("position_id", Uuid),
    Column("scanned", BigInteger, nullable=False),
    Column("found", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
)

duplicate_candidates = Table(
    "duplicate_candidates",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("lead_a", Uuid, nullable=False),
    Column("lead_b", Uuid, nullable=False),
    Column("score", Integer, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

lead_merges = Table(
    "lead_merges",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("survivor_id", Uuid, nullable=False),
    Column("other_id", Uuid, nullable=False),
    Column("changeset_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    Column("taken", ARRAY(Text), nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("undone_by_kind", Text),
    Column("undone_by", Uuid),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("undone_at", DateTime(timezone=True)),
)

merge_references = Table(
    "merge_references",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("merge_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reference_id", Uuid, primary_key=True),
    Column("before", JSONB, nullable=False),
)
