"""Outcomes of leads.

Revision ID: 0080
Revises: 0079
"""

from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STEPS = (
    """
    CREATE TABLE icp_outcomes (
        workspace_id uuid NOT NULL,
        id           uuid NOT NULL,
        lead_id      uuid NOT NULL,
        outcome      text COLLATE "C" NOT NULL CHECK (outcome IN ('won', 'lost', 'good', 'bad')),
        at           timestamptz NOT NULL,
        source       text NOT NULL,
        actor_kind   text NOT NULL,
        actor_id     uuid,
        recorded_at  timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    # The same outcome is recorded once, so that a file can come twice.
    "CREATE UNIQUE INDEX icp_outcomes_key ON icp_outcomes (workspace_id, lead_id, outcome, at)",
    "ALTER TABLE icp_outcomes ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE icp_outcomes FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON icp_outcomes USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON icp_outcomes TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON icp_outcomes TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """The previous release keeps working: it knows no outcomes, and what it deletes takes them along."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop all outcomes."""
    op.execute("DROP TABLE icp_outcomes")
