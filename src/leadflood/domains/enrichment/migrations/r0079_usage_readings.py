"""Readings of providers' usage counters, by which calls in doubt are resolved.

Revision ID: 0079
Revises: 0078
"""

from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STEPS = (
    """
    CREATE TABLE usage_readings (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        source       text NOT NULL,
        counted      bigint NOT NULL,
        booked       bigint NOT NULL,
        others       bigint NOT NULL,
        read_at      timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, source)
    )
    """,
    "ALTER TABLE usage_readings ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE usage_readings FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON usage_readings USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON usage_readings TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON usage_readings TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """The previous release does not use the table."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop the readings: doubts are then written off after a day."""
    op.execute("DROP TABLE usage_readings")
