"""Backtests of profiles.

Revision ID: 0082
Revises: 0081
"""

from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STEPS = (
    # `facts`: as they were before each outcome, or as they are today. `changed_at`: of the version that was tested.
    """
    CREATE TABLE icp_backtests (
        workspace_id    uuid NOT NULL,
        id              uuid NOT NULL,
        icp_id          uuid NOT NULL,
        version_id      uuid NOT NULL,
        live_version_id uuid,
        facts           text NOT NULL CHECK (facts IN ('before', 'today')),
        state           text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
        job_id          uuid,
        changed_at      timestamptz NOT NULL,
        result          jsonb,
        actor_kind      text NOT NULL,
        actor_id        uuid,
        created_at      timestamptz NOT NULL DEFAULT now(),
        ended_at        timestamptz,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, version_id) REFERENCES icp_versions (workspace_id, id) ON DELETE CASCADE,
        CHECK ((state = 'done') = (result IS NOT NULL))
    )
    """,
    "CREATE INDEX icp_backtests_icp_idx ON icp_backtests (workspace_id, icp_id, created_at DESC, id DESC)",
    "CREATE INDEX icp_backtests_version_idx ON icp_backtests (workspace_id, version_id)",
    "ALTER TABLE icp_backtests ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE icp_backtests FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON icp_backtests USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON icp_backtests TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON icp_backtests TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """The previous release does not use the table."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop all backtests."""
    op.execute("DROP TABLE icp_backtests")
