"""A member who leaves passes views to the workspace, and may be leaving for a while.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old code goes on: to it, the workspace's views are those of an owner, and who is leaving still is a member."""
    op.execute("ALTER TABLE saved_views ADD COLUMN of_workspace boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE memberships ADD COLUMN leaving_at timestamptz")


def downgrade() -> None:
    """Views stay with the owner who keeps them."""
    op.execute("ALTER TABLE memberships DROP COLUMN leaving_at")
    op.execute("ALTER TABLE saved_views DROP COLUMN of_workspace")
