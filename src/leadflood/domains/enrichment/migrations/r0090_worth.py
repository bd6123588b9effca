"""Whether paid sources are asked only where an answer can change a tier, and the calls that this has saved.

Revision ID: 0090
Revises: 0089
"""

from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = (
    """
    CREATE TABLE enrichment_settings (
        workspace_id  uuid PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
        paid_for_tier boolean NOT NULL DEFAULT false,
        updated_at    timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE avoided_calls (
        workspace_id  uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id            uuid NOT NULL,
        source        text NOT NULL,
        amount_micros bigint NOT NULL CHECK (amount_micros > 0),
        units         integer NOT NULL CHECK (units > 0),
        subject_id    uuid,
        batch_id      uuid,
        reason        text NOT NULL,
        day           date NOT NULL,
        counts_until  timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, id)
    )
    """,
)
INDEXES = (
    "CREATE INDEX avoided_calls_day_idx ON avoided_calls (workspace_id, day, source)",
    "CREATE INDEX avoided_calls_subject_idx ON avoided_calls (workspace_id, subject_id, source)",
)
NAMES = ("enrichment_settings", "avoided_calls")


def upgrade() -> None:
    """Processes of the previous release ask all sources until they are replaced."""
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table in NAMES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """All sources are asked again."""
    op.execute("DROP TABLE avoided_calls, enrichment_settings")
