"""Deleted leads are listed: the last deleted first.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index without blocking writers. Safe to repeat."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS leads_recently_deleted_idx")
        op.execute("""
            CREATE INDEX CONCURRENTLY leads_recently_deleted_idx ON leads (workspace_id, deleted_at, id)
                WHERE deleted_at IS NOT NULL
        """)


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP INDEX leads_recently_deleted_idx")
