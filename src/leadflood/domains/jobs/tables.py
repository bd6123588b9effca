"""The tables of jobs and of the outbox."""

from sqlalchemy import Boolean, Column, DateTime, Integer, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from leadflood.kernel.db.schema import metadata

job_executions = Table(
    "job_executions",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid),
    Column("payload", JSONB, nullable=False),
    Column("trace", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("lease_expires_at", DateTime(timezone=True)),
    Column("worker_id", Uuid),
    Column("last_error", Text),
    Column("cause", Text, nullable=False),
    Column("failures", JSONB, nullable=False),
    Column("progress", JSONB),
    Column("on_hold", Boolean, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("waiting_for", Text),
    Column("unique_subject", Boolean, nullable=False),
    Column("rerun", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
)

outbox_events = Table(
    "outbox_events",
    metadata,
    Column("workspace_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False),
    Column("last_error", Text),
    Column("cause", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("processed_at", DateTime(timezone=True)),
)

schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_run_at", DateTime(timezone=True), nullable=False),
    Column("last_run_at", DateTime(timezone=True)),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("beat_at", DateTime(timezone=True), nullable=False),
    Column("worker_id", Uuid, nullable=False),
)

worker_processes = Table(
    "worker_processes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("running_jobs", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
)
