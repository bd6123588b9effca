"""Retractions: what a source wrote in a period is taken for void.

Revision ID: 0068
Revises: 0067
"""

from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
# A retraction has the ID of its changeset. It stays when that is purged, because receipts name it. Without an end, a
# job is still retracting: `position` is where it is.
RETRACTIONS = """
CREATE TABLE retractions (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    source       text NOT NULL,
    since        timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    field        text,
    lead_id      uuid,
    company_id   uuid,
    actor_kind   text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id     uuid,
    job_id       uuid,
    position     jsonb,
    found        integer NOT NULL DEFAULT 0,
    leads        integer NOT NULL DEFAULT 0,
    companies    integer NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    undone_at    timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE,
    FOREIGN KEY (workspace_id, company_id) REFERENCES companies (workspace_id, id) ON DELETE CASCADE,
    CONSTRAINT retractions_period_check CHECK (since < until)
)
"""
INDEXES = (
    "CREATE INDEX retractions_lead_idx ON retractions (workspace_id, lead_id) WHERE lead_id IS NOT NULL",
    "CREATE INDEX retractions_company_idx ON retractions (workspace_id, company_id) WHERE company_id IS NOT NULL",
)


def upgrade() -> None:
    """Processes of the previous release retract nothing, and leave retracted values out already."""
    for statement in (RETRACTIONS, *INDEXES):
        op.execute(statement)
    op.execute("ALTER TABLE retractions ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE retractions FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON retractions USING ({TENANT}) WITH CHECK ({TENANT})")
    op.execute("CREATE POLICY system ON retractions TO leadflood_system USING (true) WITH CHECK (true)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON retractions TO leadflood_app, leadflood_system")


def downgrade() -> None:
    """Retracted values stay retracted."""
    op.execute("DROP TABLE retractions")
