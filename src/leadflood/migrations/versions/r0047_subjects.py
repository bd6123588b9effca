"""Timelines and changesets of any kind of subject.

Revision ID: 0047
Revises: 0046
"""

from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

# A constant default is stored with the table: no row is rewritten, and what the release before this one writes is about
# leads, as all that it knows.
CHANGESETS = "ALTER TABLE lead_changesets ADD COLUMN subject_kind text NOT NULL DEFAULT 'lead'"

# A timeline like that of leads: append-only for the services, deleted with its subject, apart by workspace. `subjects`
# is the table of the subjects, with the primary key (workspace_id, id).
TIMELINE = """
CREATE PROCEDURE add_timeline(subject text, subjects text)
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
DECLARE
    entries text := subject || '_events';
    tenant  text := 'workspace_id = nullif(current_setting(''app.workspace_id'', true), '''')::uuid';
BEGIN
    EXECUTE format($table$
        CREATE TABLE %1$I (
            workspace_id uuid NOT NULL,
            %2$I         uuid NOT NULL,
            id           uuid NOT NULL,
            kind         text NOT NULL,
            at           timestamptz NOT NULL DEFAULT now(),
            actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
            actor_id     uuid,
            data         jsonb NOT NULL DEFAULT '{}',
            PRIMARY KEY (workspace_id, %2$I, id),
            FOREIGN KEY (workspace_id, %2$I) REFERENCES %3$I (workspace_id, id) ON DELETE CASCADE
        )$table$, entries, subject || '_id', subjects);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', entries);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', entries);
    EXECUTE format('CREATE POLICY tenant ON %I USING (%s) WITH CHECK (%s)', entries, tenant, tenant);
    EXECUTE format('CREATE POLICY system ON %I TO leadflood_system USING (true) WITH CHECK (true)', entries);
    EXECUTE format('GRANT SELECT, INSERT ON %I TO leadflood_app, leadflood_system', entries);
END
$$
"""


def upgrade() -> None:
    """Expand: the release before this one neither reads nor writes any of it."""
    op.execute(CHANGESETS)
    op.execute(TIMELINE)
    op.execute("REVOKE ALL ON PROCEDURE add_timeline(text, text) FROM PUBLIC")


def downgrade() -> None:
    """Drop what only this release reads."""
    op.execute("DROP PROCEDURE add_timeline(text, text)")
    op.execute("ALTER TABLE lead_changesets DROP COLUMN subject_kind")
