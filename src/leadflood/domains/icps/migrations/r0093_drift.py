"""Distributions of scores at publishing and since, and backtests on outcomes since then.

Revision ID: 0093
Revises: 0092
"""

from alembic import op

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STEPS = (
    # Numbers of leads by class of their score: `before` at publishing, `after` at the last check.
    """
    CREATE TABLE icp_drifts (
        workspace_id uuid NOT NULL,
        version_id   uuid NOT NULL,
        before       jsonb NOT NULL,
        before_at    timestamptz NOT NULL DEFAULT now(),
        after        jsonb,
        stability    double precision,
        drifted      boolean NOT NULL DEFAULT false,
        checked_at   timestamptz,
        PRIMARY KEY (workspace_id, version_id),
        FOREIGN KEY (workspace_id, version_id) REFERENCES icp_versions (workspace_id, id) ON DELETE CASCADE,
        CHECK ((after IS NULL) = (checked_at IS NULL))
    )
    """,
    "ALTER TABLE icp_drifts ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE icp_drifts FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON icp_drifts USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON icp_drifts TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON icp_drifts TO leadflood_app, leadflood_system",
    # Of a monthly backtest: it counts the outcomes from this time on.
    "ALTER TABLE icp_backtests ADD COLUMN since timestamptz",
)


def upgrade() -> None:
    """The previous release does not compare. It lists monthly backtests like others."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop the distributions, and the backtests on new outcomes."""
    op.execute("DELETE FROM icp_backtests WHERE since IS NOT NULL")
    op.execute("ALTER TABLE icp_backtests DROP COLUMN since")
    op.execute("DROP TABLE icp_drifts")
