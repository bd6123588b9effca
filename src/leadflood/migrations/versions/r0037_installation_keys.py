"""Keys of the installation that are stored encrypted under its secret key.

Revision ID: 0037
Revises: 0036
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE installation_keys (
    name       text PRIMARY KEY,
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    """The previous release does not use the table. Only work across workspaces reads it."""
    op.execute(TABLE)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON installation_keys TO leadflood_system")


def downgrade() -> None:
    """Drop the table. Hashes that were made with its keys are not found again."""
    op.execute("DROP TABLE installation_keys")
