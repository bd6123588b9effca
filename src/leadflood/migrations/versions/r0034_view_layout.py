"""Views store the widths of their columns, and deleted views can be restored for a while.

Revision ID: 0034
Revises: 0033
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The previous release shows a deleted view until it is replaced, and deletes it permanently."""
    op.execute("""
        ALTER TABLE saved_views
            ADD COLUMN widths jsonb NOT NULL DEFAULT '{}',
            ADD COLUMN deleted_at timestamptz
    """)


def downgrade() -> None:
    """Views that are deleted go."""
    op.execute("SET LOCAL ROLE leadflood_system")  # forced row-level security may bind the owner, too
    op.execute("DELETE FROM saved_views WHERE deleted_at IS NOT NULL")
    op.execute("RESET ROLE")
    op.execute("ALTER TABLE saved_views DROP COLUMN widths, DROP COLUMN deleted_at")
