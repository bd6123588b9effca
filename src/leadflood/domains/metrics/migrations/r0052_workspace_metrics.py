"""Counts of the metrics that domains declare.

Revision ID: 0052
Revises: 0051
"""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STATEMENTS = (
    """
    CREATE TABLE workspace_metrics (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        metric       text COLLATE "C" NOT NULL,
        quarter      timestamptz NOT NULL,
        value        bigint NOT NULL,
        PRIMARY KEY (workspace_id, metric, quarter)
    )
    """,
    "CREATE INDEX workspace_metrics_quarter_idx ON workspace_metrics USING brin (quarter)",
    "ALTER TABLE workspace_metrics ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE workspace_metrics FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON workspace_metrics USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON workspace_metrics TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON workspace_metrics TO leadflood_app, leadflood_system",
    # The counts from before these metrics had a table of their own.
    """
    INSERT INTO workspace_metrics (workspace_id, metric, quarter, value)
    SELECT f.workspace_id, m.metric, f.quarter, m.value
    FROM workspace_figures f
    CROSS JOIN LATERAL (VALUES ('leads.created', f.created), ('enrichment.completed', f.enriched),
                               ('enrichment.failed', f.failed)) AS m (metric, value)
    WHERE m.value > 0
    """,
)


def upgrade() -> None:
    """The previous release keeps counting into its own table. What it counts meanwhile is counted again every hour."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the counts. Those of leads and enrichments are in the table of the dashboard, too."""
    op.execute("DROP TABLE workspace_metrics")
