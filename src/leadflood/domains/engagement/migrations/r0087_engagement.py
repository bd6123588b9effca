"""Engagements of leads, and their decaying sums.

Revision ID: 0087
Revises: 0086
"""

from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = (
    """
    CREATE TABLE engagements (
        workspace_id uuid NOT NULL,
        id           uuid NOT NULL,
        lead_id      uuid NOT NULL,
        kind         text COLLATE "C" NOT NULL,
        points       integer NOT NULL CHECK (points BETWEEN -100 AND 100),
        at           timestamptz NOT NULL,
        note         text,
        external_key text COLLATE "C",
        source       text NOT NULL,
        actor_kind   text NOT NULL,
        actor_id     uuid,
        recorded_at  timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX engagements_lead_idx ON engagements (workspace_id, lead_id, at DESC, id DESC)",
    # An engagement is recorded once: by its key, or without one by its lead, kind and time.
    """
    CREATE UNIQUE INDEX engagements_external_key ON engagements (workspace_id, external_key)
    WHERE external_key IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX engagements_key ON engagements (workspace_id, lead_id, kind, at) WHERE external_key IS NULL
    """,
    # The sum of a lead's points, as a logarithm: see models.py. Leads without engagements have no row.
    """
    CREATE TABLE lead_engagement (
        workspace_id uuid NOT NULL,
        lead_id      uuid NOT NULL,
        sort_key     double precision NOT NULL,
        engagements  integer NOT NULL,
        latest_at    timestamptz NOT NULL,
        PRIMARY KEY (workspace_id, lead_id),
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX lead_engagement_sort_idx ON lead_engagement (workspace_id, sort_key DESC, lead_id DESC)",
    # A workspace without a row counts by the defaults of the program.
    """
    CREATE TABLE engagement_settings (
        workspace_id   uuid PRIMARY KEY REFERENCES workspaces (id) ON DELETE CASCADE,
        half_life_days integer NOT NULL CHECK (half_life_days BETWEEN 1 AND 3650),
        border_1       integer NOT NULL,
        border_2       integer NOT NULL CHECK (border_2 BETWEEN 1 AND border_1),
        points         jsonb NOT NULL DEFAULT '{}',
        version        integer NOT NULL DEFAULT 1,
        updated_at     timestamptz NOT NULL DEFAULT now()
    )
    """,
)
NAMES = ("engagements", "lead_engagement", "engagement_settings")
SEARCHED = ("lead_engagement", "engagement_settings")


def upgrade() -> None:
    """The previous release keeps working: it knows no engagements, and what it deletes takes them along."""
    for statement in TABLES:
        op.execute(statement)
    for table in NAMES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    for table in SEARCHED:
        op.execute(f"CREATE POLICY search ON {table} FOR SELECT TO leadflood_search USING (true)")
        op.execute(f"GRANT SELECT ON {table} TO leadflood_search")


def downgrade() -> None:
    """Drop all engagements."""
    op.execute("DROP TABLE engagement_settings, lead_engagement, engagements")
