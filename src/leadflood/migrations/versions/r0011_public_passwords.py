"""Marker of the password hash of the demo user's public password.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Compared with the present hash, so that it loses its effect when old code sets another password."""
    op.execute("ALTER TABLE users ADD COLUMN public_password_hash text")


def downgrade() -> None:
    """Forget what was compared: the next start of a newer release compares again."""
    op.execute("ALTER TABLE users DROP COLUMN public_password_hash")
