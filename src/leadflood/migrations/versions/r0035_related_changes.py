"""Undo data of bulk operations of other domains.

Revision ID: 0035
Revises: 0034
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The previous release keeps working: its changes have no such data. It cannot undo changes that have."""
    op.execute("ALTER TABLE lead_changes ADD COLUMN IF NOT EXISTS related jsonb")


def downgrade() -> None:
    """Operations of other domains can no longer be undone."""
    op.execute("ALTER TABLE lead_changes DROP COLUMN related")
