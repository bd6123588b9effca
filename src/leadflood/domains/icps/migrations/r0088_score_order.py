"""Index for the list of leads in the order of their scores.

Revision ID: 0088
Revises: 0087
"""

from alembic import op

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None

INDEX = """
CREATE INDEX CONCURRENTLY icp_scores_order_idx ON icp_scores (workspace_id, version_id, score, lead_id)
WHERE tier IS NOT NULL
"""


def upgrade() -> None:
    """The previous release does not use the index."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS icp_scores_order_idx")
        op.execute(INDEX)


def downgrade() -> None:
    """Drop the index."""
    op.execute("DROP INDEX icp_scores_order_idx")
