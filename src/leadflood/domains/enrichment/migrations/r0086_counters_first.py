"""The time of a restore, and the reasons why usage counters could not be read: purchases wait for one or the other.

Revision ID: 0086
Revises: 0085
"""

from alembic import op

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STEPS = (
    "ALTER TABLE effects_hold ADD COLUMN restored_at timestamptz",
    """
    CREATE TABLE usage_failures (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        source       text NOT NULL,
        sentence     text NOT NULL,
        failed_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, source)
    )
    """,
    "ALTER TABLE usage_failures ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE usage_failures FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON usage_failures USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON usage_failures TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON usage_failures TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """The previous release uses neither: after a restore that it releases, no purchase waits."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop both."""
    op.execute("DROP TABLE usage_failures")
    op.execute("ALTER TABLE effects_hold DROP COLUMN restored_at")
