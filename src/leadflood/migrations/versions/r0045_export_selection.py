"""Exports: workbooks, headers, and leads that were selected one by one.

Revision ID: 0045
Revises: 0044
"""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

STEPS = (
    "ALTER TABLE exports ADD COLUMN headers text NOT NULL DEFAULT 'names' CHECK (headers IN ('labels', 'names'))",
    "ALTER TABLE exports ADD COLUMN lead_ids uuid[]",
    "ALTER TABLE exports DROP CONSTRAINT exports_format_check",
    "ALTER TABLE exports ADD CONSTRAINT exports_format_check CHECK (format IN ('csv', 'xlsx', 'ndjson', 'parquet'))",
)
BACK = (
    "DELETE FROM exports WHERE format = 'xlsx' OR lead_ids IS NOT NULL",
    "ALTER TABLE exports DROP CONSTRAINT exports_format_check",
    "ALTER TABLE exports ADD CONSTRAINT exports_format_check CHECK (format IN ('csv', 'ndjson', 'parquet'))",
    "ALTER TABLE exports DROP COLUMN lead_ids, DROP COLUMN headers",
)


def upgrade() -> None:
    """Exports in progress keep their headers. An old worker must not write new exports: it would ignore the selection.

    So deploy workers first; the table is small, and its check is quick.
    """
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Exports that old code can't write are deleted. They can be requested again."""
    for step in BACK:
        op.execute(step)
