"""Runs of companies, and the lookups that a merge of companies moved.

Revision ID: 0060
Revises: 0059
"""

from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
# A run has the domain and the sources that it asked: with others, its facts are not those that are wanted.
RUNS = """
CREATE TABLE company_runs (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    company_id   uuid NOT NULL,
    job_id       uuid NOT NULL,
    domain       text COLLATE "C" NOT NULL,
    sources      text NOT NULL DEFAULT '',
    newer_than   timestamptz,
    state        text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'completed', 'partial', 'nothing', 'failed', 'canceled')),
    sentence     text NOT NULL DEFAULT '',
    steps        jsonb NOT NULL DEFAULT '[]',
    requested_at timestamptz NOT NULL DEFAULT now(),
    wait_until   timestamptz NOT NULL,
    started_at   timestamptz,
    ended_at     timestamptz,
    fresh_until  timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE,
    CONSTRAINT company_runs_end_check CHECK ((state = 'running') = (ended_at IS NULL))
)
"""
INDEXES = (
    # One run at a time, however many leads wait for it.
    "CREATE UNIQUE INDEX company_runs_live_key ON company_runs (workspace_id, company_id) WHERE ended_at IS NULL",
    "CREATE INDEX company_runs_company_idx ON company_runs (workspace_id, company_id, id)",
    "CREATE INDEX company_runs_job_idx ON company_runs (workspace_id, job_id)",
    "CREATE INDEX company_runs_ended_idx ON company_runs (ended_at) WHERE ended_at IS NOT NULL",
)
MOVED = """
CREATE TABLE company_merge_lookups (
    workspace_id uuid NOT NULL,
    merge_id     uuid NOT NULL,
    lookup_id    uuid NOT NULL,
    PRIMARY KEY (workspace_id, merge_id, lookup_id),
    FOREIGN KEY (workspace_id, merge_id) REFERENCES company_merges (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, lookup_id) REFERENCES lookups (workspace_id, id) ON DELETE CASCADE
)
"""
MOVED_INDEX = "CREATE INDEX company_merge_lookups_lookup_idx ON company_merge_lookups (workspace_id, lookup_id)"
# No lookup has a company yet, so there is nothing to validate but the past.
OWNER = """
ALTER TABLE lookups ADD CONSTRAINT lookups_company_fkey FOREIGN KEY (workspace_id, company_id)
REFERENCES companies (workspace_id, id) ON DELETE CASCADE NOT VALID
"""
VALIDATED = "ALTER TABLE lookups VALIDATE CONSTRAINT lookups_company_fkey"
# A choice may refer to a value of another company, which the same register answered.
CLEAR = """
CREATE FUNCTION clear_company_choices() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    DELETE FROM chosen_values c USING gone
    WHERE c.workspace_id = gone.workspace_id AND c.subject_id = gone.id;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER clear_choices AFTER DELETE ON companies REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION clear_company_choices()
"""


def upgrade() -> None:
    """The previous release knows neither, and asks nothing about companies."""
    for statement in (RUNS, *INDEXES, MOVED, MOVED_INDEX, CLEAR, TRIGGER, OWNER):
        op.execute(statement)
    for table in ("company_runs", "company_merge_lookups"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    with op.get_context().autocommit_block():
        op.execute(VALIDATED)


def downgrade() -> None:
    """Drop the runs. What was found stays, but belongs to nothing that the previous release shows."""
    op.execute("DROP TRIGGER clear_choices ON companies")
    op.execute("DROP FUNCTION clear_company_choices()")
    op.execute("ALTER TABLE lookups DROP CONSTRAINT lookups_company_fkey")
    op.execute("DROP TABLE company_merge_lookups, company_runs")
