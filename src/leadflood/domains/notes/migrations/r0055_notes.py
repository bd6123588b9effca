"""Notes on leads.

Revision ID: 0055
Revises: 0054
"""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STEPS = (
    """
    CREATE TABLE lead_notes (
        workspace_id uuid NOT NULL,
        id           uuid NOT NULL,
        lead_id      uuid NOT NULL,
        text         text NOT NULL,
        author_kind  text NOT NULL,
        author_id    uuid,
        version      integer NOT NULL DEFAULT 1,
        created_at   timestamptz NOT NULL DEFAULT now(),
        edited_at    timestamptz,
        deleted_at   timestamptz,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX lead_notes_lead_idx ON lead_notes (workspace_id, lead_id, created_at, id)",
    "CREATE INDEX lead_notes_deleted_idx ON lead_notes (deleted_at) WHERE deleted_at IS NOT NULL",
    # Read by filters. Runs with the rights of the caller.
    """
    CREATE VIEW active_lead_notes WITH (security_invoker = true) AS
    SELECT workspace_id, lead_id, created_at FROM lead_notes WHERE deleted_at IS NULL
    """,
    "ALTER TABLE lead_notes ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE lead_notes FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON lead_notes USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON lead_notes TO leadflood_system USING (true) WITH CHECK (true)",
    "CREATE POLICY search ON lead_notes FOR SELECT TO leadflood_search USING (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON lead_notes TO leadflood_app, leadflood_system",
    "GRANT SELECT ON lead_notes TO leadflood_search",
    "GRANT SELECT ON active_lead_notes TO leadflood_app, leadflood_system, leadflood_search",
)


def upgrade() -> None:
    """The previous release keeps working: it knows nothing of notes, and what it deletes takes them along."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop all notes."""
    op.execute("DROP VIEW active_lead_notes")
    op.execute("DROP TABLE lead_notes")
