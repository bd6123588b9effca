"""Texts of pages that a source has read, for sources that read them again.

Revision ID: 0083
Revises: 0082
"""

from alembic import op

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
# `pages`: compressed JSON. `expires_at`: that of the lookup's answer.
STEPS = (
    """
    CREATE TABLE lookup_pages (
        workspace_id uuid NOT NULL,
        lookup_id    uuid NOT NULL,
        pages        bytea NOT NULL,
        expires_at   timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, lookup_id),
        FOREIGN KEY (workspace_id, lookup_id) REFERENCES lookups (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX lookup_pages_expires_idx ON lookup_pages (expires_at)",
    "ALTER TABLE lookup_pages ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE lookup_pages FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON lookup_pages USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON lookup_pages TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON lookup_pages TO leadflood_app, leadflood_system",
)


def upgrade() -> None:
    """Processes of the previous release keep no pages."""
    for statement in STEPS:
        op.execute(statement)


def downgrade() -> None:
    """Companies have to be read again before a language model can be asked about them."""
    op.execute("DROP TABLE lookup_pages")
