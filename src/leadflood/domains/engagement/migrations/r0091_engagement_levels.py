"""Levels of engagement and priorities, for filters of leads.

Revision ID: 0091
Revises: 0090
"""

from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None

# They run with the rights of the caller. A lead without engagements has level 3, and no row in the first one. See
# models.py of the domain for sort keys.
VIEWS = (
    """
CREATE VIEW engagement_levels WITH (security_invoker = true) AS
SELECT e.workspace_id, e.lead_id, e.engagements,
       CASE WHEN e.sort_key >= k.key_1 THEN '1' WHEN e.sort_key >= k.key_2 THEN '2' ELSE '3' END AS level,
       sign(e.sort_key) * power(2::float8, greatest(-1000, least(1000, abs(e.sort_key) - k.key_of_one_point))) AS points
FROM lead_engagement e
LEFT JOIN engagement_settings s ON s.workspace_id = e.workspace_id
CROSS JOIN LATERAL (
    SELECT 65536 + extract(epoch FROM now() - timestamptz '2020-01-01 00:00:00+00')::float8 / 86400
                   / coalesce(s.half_life_days, 30) AS key_of_one_point
) o
CROSS JOIN LATERAL (
    SELECT o.key_of_one_point,
           o.key_of_one_point + ln(coalesce(s.border_1, 50)::float8) / ln(2::float8) AS key_1,
           o.key_of_one_point + ln(coalesce(s.border_2, 20)::float8) / ln(2::float8) AS key_2
) k
""",
    """
CREATE VIEW lead_priorities WITH (security_invoker = true) AS
SELECT m.workspace_id, m.lead_id, m.tier, coalesce(v.level, '3') AS level, m.tier || coalesce(v.level, '3') AS priority
FROM main_icp_scores m
LEFT JOIN engagement_levels v ON v.workspace_id = m.workspace_id AND v.lead_id = m.lead_id
WHERE m.tier IS NOT NULL
""",
)
NAMES = ("engagement_levels", "lead_priorities")


def upgrade() -> None:
    """The previous release does not use the views."""
    for view in VIEWS:
        op.execute(view)
    for name in NAMES:
        op.execute(f"GRANT SELECT ON {name} TO leadflood_app, leadflood_system, leadflood_search")


def downgrade() -> None:
    """Drop the views."""
    op.execute("DROP VIEW lead_priorities")
    op.execute("DROP VIEW engagement_levels")
