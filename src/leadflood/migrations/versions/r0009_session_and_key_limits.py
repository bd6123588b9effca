"""Sessions have a latest end; an API key knows the key that created it.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

REASONS = "'logout', 'ended', 'password_changed', 'token_reuse', 'user_disabled', 'replaced', 'switched'"

# Sessions that are live now get 30 days from now.
EXPAND = (
    "ALTER TABLE sessions ADD COLUMN ends_at timestamptz NOT NULL DEFAULT now() + interval '30 days'",
    "ALTER TABLE sessions DROP CONSTRAINT sessions_end_reason_check",
    f"ALTER TABLE sessions ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ({REASONS}, 'too_many'))",
    "ALTER TABLE api_keys ADD COLUMN parent_id uuid",
    """
    ALTER TABLE api_keys ADD CONSTRAINT api_keys_parent_fkey
        FOREIGN KEY (workspace_id, parent_id) REFERENCES api_keys (workspace_id, id) ON DELETE CASCADE
    """,
    "CREATE INDEX api_keys_parent_idx ON api_keys (workspace_id, parent_id) WHERE parent_id IS NOT NULL",
    "CREATE INDEX api_keys_active_idx ON api_keys (created_by) WHERE revoked_at IS NULL",
)

# A person's keys count in all workspaces together, of which the application's role sees one at a time.
COUNT = """
CREATE FUNCTION count_active_api_keys(person uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
    SELECT count(*) FROM api_keys
    WHERE created_by = person AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
$$
"""
OWN_COUNT = (
    "REVOKE ALL ON FUNCTION count_active_api_keys(uuid) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION count_active_api_keys(uuid) TO leadflood_app, leadflood_system",
    "GRANT CREATE ON SCHEMA leadflood TO leadflood_system",
    "ALTER FUNCTION count_active_api_keys(uuid) OWNER TO leadflood_system",
    "REVOKE CREATE ON SCHEMA leadflood FROM leadflood_system",
)

CONTRACT = (
    "ALTER TABLE api_keys DROP COLUMN parent_id",
    "DROP INDEX api_keys_active_idx",
    "ALTER TABLE sessions DROP CONSTRAINT sessions_end_reason_check",
    f"ALTER TABLE sessions ADD CONSTRAINT sessions_end_reason_check CHECK (end_reason IN ({REASONS}))",
    "ALTER TABLE sessions DROP COLUMN ends_at",
)


def upgrade() -> None:
    """Old code goes on: what it writes has a default, and it reads none of this."""
    for statement in (*EXPAND, COUNT, *OWN_COUNT):
        op.execute(statement)


def downgrade() -> None:
    """Forget ends and parents; sessions that ended for being too many ended."""
    op.execute("DROP FUNCTION count_active_api_keys(uuid)")
    op.execute("SET LOCAL ROLE leadflood_system")  # forced row-level security may bind the owner, too
    op.execute("UPDATE sessions SET end_reason = 'ended' WHERE end_reason = 'too_many'")
    op.execute("RESET ROLE")
    for statement in CONTRACT:
        op.execute(statement)
