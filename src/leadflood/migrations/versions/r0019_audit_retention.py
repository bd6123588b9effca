"""Audit events can be removed once they are old, by one function and by nothing else.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The services may still insert and read only. The function runs as the owner of the table, whom forced row-level
# security lets see and remove what is older than 90 days, whatever a caller says.
POLICIES = (
    "CREATE POLICY retention_read ON audit_events FOR SELECT TO CURRENT_USER USING (at < now() - interval '90 days')",
    "CREATE POLICY retention ON audit_events FOR DELETE TO CURRENT_USER USING (at < now() - interval '90 days')",
)
PURGE = """
CREATE FUNCTION purge_audit_events(days integer, most integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
    WITH removed AS (
        DELETE FROM audit_events WHERE (workspace_id, id) IN (
            SELECT workspace_id, id FROM audit_events
            WHERE at < now() - make_interval(days => greatest(days, 90)) LIMIT most)
        RETURNING 1
    )
    SELECT count(*) FROM removed
$$
"""


def upgrade() -> None:
    """Build the index beside who writes. Old code goes on: it removes nothing."""
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_events_age_idx ON audit_events USING brin (at)")
    for policy in POLICIES:
        op.execute(policy)
    op.execute(PURGE)
    op.execute("REVOKE ALL ON FUNCTION purge_audit_events(integer, integer) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION purge_audit_events(integer, integer) TO leadflood_system")


def downgrade() -> None:
    """Keep everything again."""
    op.execute("DROP FUNCTION purge_audit_events(integer, integer)")
    op.execute("DROP POLICY retention ON audit_events")
    op.execute("DROP POLICY retention_read ON audit_events")
    op.execute("DROP INDEX audit_events_age_idx")
