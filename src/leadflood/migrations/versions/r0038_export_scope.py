"""API keys that can read leads keep exporting them: that has a permission of its own now.

Revision ID: 0038
Revises: 0037
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

STATEMENTS = (
    "SET LOCAL ROLE leadflood_system",  # forced row-level security may bind the owner, too
    """
    UPDATE api_keys SET scopes = array_append(scopes, 'leads:export')
    WHERE 'leads:read' = ANY(scopes) AND NOT 'leads:export' = ANY(scopes)
    """,
    "RESET ROLE",
)


def upgrade() -> None:
    """The previous release ignores scopes that it does not know. A key never has more access than its creator."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Nothing to do: unknown scopes are ignored."""
