"""Networks from which programs signed in, by user; and warnings for the operator.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

WARNINGS = """
CREATE TABLE operator_warnings (
    name    text PRIMARY KEY,
    detail  text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    """Old code goes on: it knows of neither."""
    op.execute("CREATE INDEX sessions_api_idx ON sessions (user_id) WHERE kind = 'api'")
    op.execute(WARNINGS)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON operator_warnings TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Drop both."""
    op.execute("DROP TABLE operator_warnings")
    op.execute("DROP INDEX sessions_api_idx")
