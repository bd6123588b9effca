"""Decisions of people about found values: who pinned one, corrections, and values that are rejected.

Revision ID: 0069
Revises: 0068
"""

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
# The authors of pins, and of corrections, which are lookups of the source `manual`.
COLUMNS = (
    "ALTER TABLE chosen_values ADD COLUMN actor_kind text, ADD COLUMN actor_id uuid",
    "ALTER TABLE lookups ADD COLUMN actor_kind text, ADD COLUMN actor_id uuid",
)
REJECTED = """
CREATE TABLE rejected_values (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    lead_id      uuid,
    company_id   uuid,
    field        text NOT NULL,
    source       text NOT NULL,
    value_key    text NOT NULL,
    value        jsonb NOT NULL,
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id     uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE,
    CONSTRAINT rejected_values_subject_check CHECK (num_nonnulls(lead_id, company_id) = 1)
)
"""
INDEXES = (
    """
    CREATE UNIQUE INDEX rejected_values_lead_key ON rejected_values (workspace_id, lead_id, field, source, value_key)
    WHERE lead_id IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX rejected_values_company_key
    ON rejected_values (workspace_id, company_id, field, source, value_key) WHERE company_id IS NOT NULL
    """,
)


def upgrade() -> None:
    """Processes of the previous release keep what is pinned, but may choose what is rejected until they are gone."""
    for statement in (*COLUMNS, REJECTED, *INDEXES):
        op.execute(statement)
    op.execute("ALTER TABLE rejected_values ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE rejected_values FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON rejected_values USING ({TENANT}) WITH CHECK ({TENANT})")
    op.execute("CREATE POLICY system ON rejected_values TO leadflood_system USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rejected_values TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Pins and corrections stay, without their authors."""
    op.execute("DROP TABLE rejected_values")
    op.execute("ALTER TABLE lookups DROP COLUMN actor_kind, DROP COLUMN actor_id")
    op.execute("ALTER TABLE chosen_values DROP COLUMN actor_kind, DROP COLUMN actor_id")
