"""Runs of leads: how each source answered the latest one, and the job that asks some of them again.

Revision ID: 0081
Revises: 0080
"""

from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
RUNS = """
CREATE TABLE lead_runs (
    workspace_id uuid NOT NULL,
    lead_id      uuid NOT NULL,
    job_id       uuid NOT NULL,
    batch_id     uuid,
    newer_than   timestamptz NOT NULL,
    state        text NOT NULL CHECK (state IN ('completed', 'partial', 'nothing', 'failed')),
    sentence     text NOT NULL,
    steps        jsonb NOT NULL,
    follow_ups   smallint NOT NULL DEFAULT 0,
    next_job_id  uuid,
    not_before   timestamptz,
    ended_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, lead_id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    CONSTRAINT lead_runs_next_check CHECK ((next_job_id IS NULL) = (not_before IS NULL))
)
"""


def upgrade() -> None:
    """The previous release neither writes nor reads it."""
    op.execute(RUNS)
    op.execute("ALTER TABLE lead_runs ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE lead_runs FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON lead_runs USING ({TENANT}) WITH CHECK ({TENANT})")
    op.execute("CREATE POLICY system ON lead_runs TO leadflood_system USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON lead_runs TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Drop the runs. Answers stay; nothing asks the sources again that asked for patience."""
    op.execute("DROP TABLE lead_runs")
