"""Views as boards by stage, and the view with which each person opens the list of leads.

Revision ID: 0084
Revises: 0083
"""

from alembic import op

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
LAYOUT = "ALTER TABLE saved_views ADD COLUMN layout text NOT NULL DEFAULT 'table' CHECK (layout IN ('table', 'board'))"
# One of both: a saved view, or the name of a built-in one. A view that is purged takes the choice along.
DEFAULTS = (
    """
    CREATE TABLE default_views (
        workspace_id uuid NOT NULL,
        user_id      uuid NOT NULL,
        view_id      uuid,
        built_in     text,
        PRIMARY KEY (workspace_id, user_id),
        CHECK (num_nonnulls(view_id, built_in) = 1),
        FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, view_id) REFERENCES saved_views (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "ALTER TABLE default_views ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE default_views FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON default_views USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON default_views TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON default_views TO leadflood_app, leadflood_system",
)
# The newest leads of each column of a board, and their number, also where few of many leads have the stage.
INDEX = """
CREATE INDEX CONCURRENTLY leads_board_idx ON leads (workspace_id, stage, created_at, id) WHERE deleted_at IS NULL
"""


def upgrade() -> None:
    """The previous release shows and saves views as tables."""
    op.execute(LAYOUT)
    for step in DEFAULTS:
        op.execute(step)
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS leads_board_idx")
        op.execute(INDEX)


def downgrade() -> None:
    """Boards are shown as tables."""
    op.execute("DROP INDEX leads_board_idx")
    op.execute("DROP TABLE default_views")
    op.execute("ALTER TABLE saved_views DROP COLUMN layout")
