"""Leads and companies of a batch that wait for sources which limit requests.

Revision ID: 0073
Revises: 0072
"""

from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Workers of the previous release count those that wait as running, and as partial once that run has ended."""
    op.execute("ALTER TABLE enrichment_batches ADD COLUMN waiting integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE enrichment_batch_items ADD COLUMN waiting_until timestamptz")


def downgrade() -> None:
    """Those that wait are running again."""
    op.execute("ALTER TABLE enrichment_batch_items DROP COLUMN waiting_until")
    op.execute("ALTER TABLE enrichment_batches DROP COLUMN waiting")
