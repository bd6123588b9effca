"""Duplicates: weights of scans, and indexes of keys that need no statistics of the workspace.

Revision ID: 0043
Revises: 0042
"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

# PostgreSQL expects one row of a workspace that is not in the statistics, and then uses any index on the workspace. So
# one index only begins with the workspace, and the other one with the key. Each step is safe to repeat.
STEPS = (
    "ALTER TABLE duplicate_scans ADD COLUMN IF NOT EXISTS weights jsonb",
    "DROP INDEX CONCURRENTLY IF EXISTS duplicate_keys_new_key",
    "CREATE UNIQUE INDEX CONCURRENTLY duplicate_keys_new_key ON duplicate_keys (workspace_id, lead_id, key)",
    "DROP INDEX CONCURRENTLY IF EXISTS duplicate_keys_key_idx",
    "CREATE INDEX CONCURRENTLY duplicate_keys_key_idx ON duplicate_keys (key, workspace_id, lead_id)",
    """
    ALTER TABLE duplicate_keys DROP CONSTRAINT IF EXISTS duplicate_keys_pkey,
        ADD CONSTRAINT duplicate_keys_pkey PRIMARY KEY USING INDEX duplicate_keys_new_key
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS duplicate_keys_lead_idx",
)
BACK = (
    "ALTER TABLE duplicate_scans DROP COLUMN IF EXISTS weights",
    "DROP INDEX CONCURRENTLY IF EXISTS duplicate_keys_new_key",
    "CREATE UNIQUE INDEX CONCURRENTLY duplicate_keys_new_key ON duplicate_keys (workspace_id, key, lead_id)",
    "DROP INDEX CONCURRENTLY IF EXISTS duplicate_keys_lead_idx",
    "CREATE INDEX CONCURRENTLY duplicate_keys_lead_idx ON duplicate_keys (workspace_id, lead_id)",
    """
    ALTER TABLE duplicate_keys DROP CONSTRAINT IF EXISTS duplicate_keys_pkey,
        ADD CONSTRAINT duplicate_keys_pkey PRIMARY KEY USING INDEX duplicate_keys_new_key
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS duplicate_keys_key_idx",
)


def upgrade() -> None:
    """Old workers continue with the new indexes. The next scan of a new worker compares all leads again."""
    with op.get_context().autocommit_block():
        for step in STEPS:
            op.execute(step)


def downgrade() -> None:
    """Restore the indexes and drop the weights."""
    with op.get_context().autocommit_block():
        for step in BACK:
            op.execute(step)
