"""Policies of found fields: from which confidence they fill the field of a lead, and whether they are suggested below.

Revision ID: 0070
Revises: 0069
"""

from alembic import op

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
# Without `fill_at`, the field is never filled. Fields without a row have the standard policy.
POLICIES = """
CREATE TABLE fill_policies (
    workspace_id uuid NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('lead', 'company')),
    field        text NOT NULL,
    fill_at      double precision CHECK (fill_at BETWEEN 0 AND 1),
    suggest      boolean NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, subject_kind, field)
)
"""


def upgrade() -> None:
    """Processes of the previous release follow the standard policies until they are replaced."""
    op.execute(POLICIES)
    op.execute("ALTER TABLE fill_policies ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE fill_policies FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON fill_policies USING ({TENANT}) WITH CHECK ({TENANT})")
    op.execute("CREATE POLICY system ON fill_policies TO leadflood_system USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON fill_policies TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """The standard policies hold again; a daily job applies them."""
    op.execute("DROP TABLE fill_policies")
