"""Imports: rows of one file with the same email are combined.

Revision ID: 0053
Revises: 0052
"""

from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the release before keep the first of such rows, or reject an import that is to report them."""
    op.execute("ALTER TABLE import_rows ADD COLUMN duplicate_of integer, ADD COLUMN given text[]")


def downgrade() -> None:
    """The numbers of the rows that others were combined with are lost."""
    op.execute("ALTER TABLE import_rows DROP COLUMN duplicate_of, DROP COLUMN given")
