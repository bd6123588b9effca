"""Stages of leads.

Revision ID: 0054
Revises: 0053
"""

from alembic import op

from leadflood.migrations.versions.r0027_filter_trees import SEARCH

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
# A workspace without rows has the default stages.
TABLE = """
CREATE TABLE lead_stages (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    key          text COLLATE "C" NOT NULL,
    name         text NOT NULL,
    color        text NOT NULL,
    position     integer NOT NULL,
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    archived_at  timestamptz,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, key)
)
"""
RIGHTS = (
    "ALTER TABLE lead_stages ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE lead_stages FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON lead_stages USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON lead_stages TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON lead_stages TO leadflood_app, leadflood_system",
)
# The stage of new leads. Runs with the rights of the caller.
FIRST = """
CREATE FUNCTION first_stage(workspace uuid) RETURNS text
LANGUAGE sql STABLE SET search_path = leadflood, pg_temp
AS $$
    SELECT coalesce((SELECT key FROM lead_stages WHERE workspace_id = workspace AND archived_at IS NULL
                     ORDER BY position, key LIMIT 1), 'new')
$$
"""
INDEX = """
CREATE INDEX CONCURRENTLY leads_stage_idx ON leads (workspace_id, (search_key(stage) COLLATE "C"), id)
WHERE deleted_at IS NULL AND stage IS NOT NULL
"""
SORTED = "WHEN 'job_title' THEN 'job_title' END"
SEARCH_BY_STAGE = SEARCH.replace(SORTED, f"WHEN 'job_title' THEN 'job_title'\n{' ' * 32}WHEN 'stage' THEN 'stage' END")


def upgrade() -> None:
    """The previous release keeps working: leads that it creates have no stage."""
    op.execute(TABLE)
    for statement in RIGHTS:
        op.execute(statement)
    op.execute(FIRST)
    op.execute("CALL add_lead_field('stage')")
    op.execute(SEARCH_BY_STAGE)
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS leads_stage_idx")
        op.execute(INDEX)


def downgrade() -> None:
    """Drop the stages, and the values of leads."""
    op.execute("DROP INDEX leads_stage_idx")
    op.execute(SEARCH)
    op.execute("CALL remove_lead_field('stage')")
    op.execute("DROP FUNCTION first_stage(uuid)")
    op.execute("DROP TABLE lead_stages")
