"""Expand: an upload reserves bytes of its workspace's quota while it comes in.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty for uploads of the release before: they count with the bytes that are stored."""
    op.execute("ALTER TABLE imports ADD COLUMN reserved_bytes bigint CHECK (reserved_bytes >= 0)")


def downgrade() -> None:
    """Uploads are not limited together any more."""
    op.execute("ALTER TABLE imports DROP COLUMN reserved_bytes")
