"""Scores by the main profile, for filters of leads.

Revision ID: 0078
Revises: 0077
"""

from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None

# Runs with the rights of the caller. Numbers of filters are double precision.
VIEW = """
CREATE VIEW main_icp_scores WITH (security_invoker = true) AS
SELECT workspace_id, lead_id, score::double precision AS score, hi::double precision AS hi, tier
FROM live_icp_scores WHERE is_main
"""


def upgrade() -> None:
    """The previous release does not use the view."""
    op.execute(VIEW)
    op.execute("GRANT SELECT ON main_icp_scores TO leadflood_app, leadflood_system, leadflood_search")


def downgrade() -> None:
    """Drop the view."""
    op.execute("DROP VIEW main_icp_scores")
