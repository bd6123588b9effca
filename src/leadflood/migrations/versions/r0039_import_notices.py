"""Notices of imports, and an index of rows with values left out.

Revision ID: 0039
Revises: 0038
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE imports
    ADD COLUMN notices jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN filled text[] NOT NULL DEFAULT '{}',
    ADD COLUMN invalid_bytes bigint NOT NULL DEFAULT 0
"""
# Only a few rows have values left out.
INDEX = """
CREATE INDEX CONCURRENTLY import_rows_faults_idx ON import_rows (workspace_id, import_id, row_no)
WHERE faults IS NOT NULL
"""


def upgrade() -> None:
    """Old code continues to work: the columns have defaults. The index is built while imports run."""
    op.execute(COLUMNS)
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS import_rows_faults_idx")
        op.execute(INDEX)


def downgrade() -> None:
    """Notices are deleted."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS import_rows_faults_idx")
    op.execute("ALTER TABLE imports DROP COLUMN notices, DROP COLUMN filled, DROP COLUMN invalid_bytes")
