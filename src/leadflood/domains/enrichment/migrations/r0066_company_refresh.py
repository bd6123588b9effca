"""The runs of companies by the time at which their facts have to be asked for again.

Revision ID: 0066
Revises: 0065
"""

from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

INDEX = "company_runs_fresh_idx"


def upgrade() -> None:
    """The previous release refreshes nothing by the clock."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON company_runs (fresh_until)"
            " WHERE ended_at IS NOT NULL AND fresh_until IS NOT NULL"
        )


def downgrade() -> None:
    """Companies are read again when their next lead comes."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
