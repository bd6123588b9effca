"""Tests of sources: the latest call that a user made to try a source.

Revision ID: 0089
Revises: 0088
"""

from alembic import op

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STATEMENTS = (
    """
    CREATE TABLE source_tests (
        workspace_id uuid NOT NULL,
        source       text NOT NULL,
        lead_id      uuid,
        company_id   uuid,
        job_id       uuid NOT NULL,
        requested_at timestamptz NOT NULL DEFAULT now(),
        ended_at     timestamptz,
        cost_micros  bigint NOT NULL DEFAULT 0,
        result       jsonb,
        PRIMARY KEY (workspace_id, source),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE,
        CONSTRAINT source_tests_subject_check CHECK (num_nonnulls(lead_id, company_id) = 1),
        CONSTRAINT source_tests_end_check CHECK ((ended_at IS NULL) = (result IS NULL))
    )
    """,
    "CREATE INDEX source_tests_lead_idx ON source_tests (workspace_id, lead_id) WHERE lead_id IS NOT NULL",
    "CREATE INDEX source_tests_company_idx ON source_tests (workspace_id, company_id) WHERE company_id IS NOT NULL",
    "ALTER TABLE source_tests ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE source_tests FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON source_tests USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON source_tests TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON source_tests TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """The previous release neither writes nor reads it."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tests. Answers, and what they cost, stay."""
    op.execute("DROP TABLE source_tests")
