"""Imports: tags and lists of rows, and how far they are written.

Revision ID: 0048
Revises: 0047
"""

from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Old code continues to work: it writes no tags. No table is rewritten."""
    op.execute("ALTER TABLE import_rows ADD COLUMN related jsonb")
    op.execute("ALTER TABLE imports ADD COLUMN related_through integer NOT NULL DEFAULT 0")


def downgrade() -> None:
    """Tags and lists that imports have written stay when these are undone."""
    op.execute("ALTER TABLE imports DROP COLUMN related_through")
    op.execute("ALTER TABLE import_rows DROP COLUMN related")
