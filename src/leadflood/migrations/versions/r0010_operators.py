"""Instance operators.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FIRST_OPERATOR = """
UPDATE users SET is_operator = true WHERE id = (
    SELECT m.user_id
    FROM memberships m JOIN users u ON u.id = m.user_id
    WHERE m.role = 'owner' AND u.disabled_at IS NULL AND m.workspace_id = (
        SELECT id FROM workspaces WHERE id <> '00000000-0000-0000-0000-000000000000' ORDER BY id LIMIT 1)
    ORDER BY m.created_at, m.user_id LIMIT 1)
"""


def upgrade() -> None:
    """The earliest owner of the first workspace becomes the operator. Old code goes on: it leaves the flag alone."""
    op.execute("ALTER TABLE users ADD COLUMN is_operator boolean NOT NULL DEFAULT false")
    op.execute("SET LOCAL ROLE leadflood_system")  # forced row-level security may bind the owner, too
    op.execute(FIRST_OPERATOR)
    op.execute("RESET ROLE")


def downgrade() -> None:
    """Forget who is an operator."""
    op.execute("ALTER TABLE users DROP COLUMN is_operator")
