"""Purchases of lookups, and the batch that a run of a company belongs to.

Revision ID: 0076
Revises: 0075
"""

from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None

# `doubted_at`: since when it is not known whether the call of an unanswered lookup was charged.
STEPS = (
    "ALTER TABLE lookups ADD COLUMN purchase_id uuid, ADD COLUMN doubted_at timestamptz",
    "ALTER TABLE company_runs ADD COLUMN batch_id uuid",
    """
    CREATE INDEX lookups_paid_idx ON lookups (workspace_id, purchase_id)
    WHERE purchase_id IS NOT NULL AND state IN ('asked', 'in_doubt', 'waiting')
    """,
)


def upgrade() -> None:
    """The previous release purchases nothing, and leaves both empty."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop what connects lookups with purchases."""
    op.execute("ALTER TABLE company_runs DROP COLUMN batch_id")
    op.execute("ALTER TABLE lookups DROP COLUMN purchase_id, DROP COLUMN doubted_at")
