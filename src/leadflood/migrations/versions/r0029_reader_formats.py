"""Preferred format of numbers, dates and times of a user: the browser's, or as chosen.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# Constant defaults do not rewrite the table.
STEPS = (
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS locale text NOT NULL DEFAULT 'auto'",
    "ALTER TABLE users ADD COLUMN IF NOT EXISTS time_zone_chosen boolean NOT NULL DEFAULT false",
    "UPDATE users SET time_zone_chosen = true WHERE time_zone <> 'UTC'",
)


def upgrade() -> None:
    """Old processes read and write `time_zone` as before: a zone that they store counts as chosen unless it is UTC."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Forget what was chosen; time zones stay."""
    op.execute("ALTER TABLE users DROP COLUMN locale, DROP COLUMN time_zone_chosen")
