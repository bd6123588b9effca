"""The tables of enrichment."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from leadflood.kernel.db.schema import metadata

enrichment_runs = Table(
    "enrichment_runs",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("lead_id", Uuid, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("adapter", Text, nullable=False),
    Column("adapter_version", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("cost_micros", BigInteger, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True), nullable=False),
    Column("void", Boolean, nullable=False),
)

enrichment_values = Table(
    "enrichment_values",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("run_id", Uuid, nullable=False),
    Column("lead_id", Uuid, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("method", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("source_url", Text),
    Column("cost_micros", BigInteger, nullable=False),
    Column("observed_at", DateTime(timezone=True), nullable=False),
    Column("chosen", Boolean, nullable=False),
)
