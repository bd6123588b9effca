"""Tasks on leads.

Revision ID: 0056
Revises: 0055
"""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
STEPS = (
    # A member who leaves leaves the tasks unassigned.
    """
    CREATE TABLE lead_tasks (
        workspace_id uuid NOT NULL,
        id           uuid NOT NULL,
        lead_id      uuid NOT NULL,
        title        text NOT NULL,
        due_on       date,
        due_at       timestamptz NOT NULL,
        assignee_id  uuid,
        actor_kind   text NOT NULL,
        actor_id     uuid,
        done_at      timestamptz,
        version      integer NOT NULL DEFAULT 1,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        deleted_at   timestamptz,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, assignee_id) REFERENCES memberships (workspace_id, user_id)
            ON DELETE SET NULL (assignee_id)
    )
    """,
    "CREATE INDEX lead_tasks_lead_idx ON lead_tasks (workspace_id, lead_id)",
    """
    CREATE INDEX lead_tasks_open_idx ON lead_tasks (workspace_id, due_at, id)
    WHERE done_at IS NULL AND deleted_at IS NULL
    """,
    """
    CREATE INDEX lead_tasks_assignee_idx ON lead_tasks (workspace_id, assignee_id, due_at, id)
    WHERE done_at IS NULL AND deleted_at IS NULL
    """,
    """
    CREATE INDEX lead_tasks_done_idx ON lead_tasks (workspace_id, done_at, id)
    WHERE done_at IS NOT NULL AND deleted_at IS NULL
    """,
    "CREATE INDEX lead_tasks_deleted_idx ON lead_tasks (deleted_at) WHERE deleted_at IS NOT NULL",
    # Read by filters. They run with the rights of the caller.
    """
    CREATE VIEW open_lead_tasks WITH (security_invoker = true) AS
    SELECT workspace_id, lead_id, due_at FROM lead_tasks WHERE done_at IS NULL AND deleted_at IS NULL
    """,
    """
    CREATE VIEW overdue_lead_tasks WITH (security_invoker = true) AS
    SELECT workspace_id, lead_id, due_at FROM lead_tasks
    WHERE done_at IS NULL AND deleted_at IS NULL AND due_at <= now()
    """,
    "ALTER TABLE lead_tasks ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE lead_tasks FORCE ROW LEVEL SECURITY",
    f"CREATE POLICY tenant ON lead_tasks USING ({TENANT}) WITH CHECK ({TENANT})",
    "CREATE POLICY system ON lead_tasks TO leadflood_system USING (true) WITH CHECK (true)",
    "CREATE POLICY search ON lead_tasks FOR SELECT TO leadflood_search USING (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON lead_tasks TO leadflood_app, leadflood_system",
    "GRANT SELECT ON lead_tasks TO leadflood_search",
    "GRANT SELECT ON open_lead_tasks, overdue_lead_tasks TO leadflood_app, leadflood_system, leadflood_search",
)


def upgrade() -> None:
    """The previous release keeps working: it knows nothing of tasks, and what it deletes takes them along."""
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    """Drop all tasks."""
    op.execute("DROP VIEW open_lead_tasks")
    op.execute("DROP VIEW overdue_lead_tasks")
    op.execute("DROP TABLE lead_tasks")
