"""Rules on tiers: rules, the leads that they know to be in their tiers, changes of tiers, and runs.

Changes of tiers are written by triggers, in the transaction that changes a score, so that no path can forget them, and
only for profiles with an enabled rule.

Revision ID: 0092
Revises: 0091
"""

from alembic import op

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = (
    """
    CREATE TABLE rules (
        workspace_id    uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id              uuid NOT NULL,
        name            text NOT NULL,
        name_key        text COLLATE "C" NOT NULL,
        icp_id          uuid NOT NULL,
        trigger         text NOT NULL CHECK (trigger IN ('enters', 'leaves')),
        tier            text COLLATE "C" NOT NULL,
        actions         jsonb NOT NULL,
        include_present boolean NOT NULL,
        enabled         boolean NOT NULL DEFAULT false,
        version         integer NOT NULL DEFAULT 1,
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        deleted_at      timestamptz,
        PRIMARY KEY (workspace_id, id),
        CHECK (deleted_at IS NULL OR NOT enabled),
        FOREIGN KEY (workspace_id, icp_id) REFERENCES icps (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX rules_name_key ON rules (workspace_id, name_key) WHERE deleted_at IS NULL",
    "CREATE INDEX rules_icp_idx ON rules (workspace_id, icp_id) WHERE enabled",
    # The leads in the tier of an enabled rule, as far as it has run on their changes.
    """
    CREATE TABLE rule_members (
        workspace_id uuid NOT NULL,
        rule_id      uuid NOT NULL,
        lead_id      uuid NOT NULL,
        PRIMARY KEY (workspace_id, rule_id, lead_id),
        FOREIGN KEY (workspace_id, rule_id) REFERENCES rules (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX rule_members_lead_idx ON rule_members (workspace_id, lead_id)",
    # Changes of tiers, in their order: the lock of the lead serializes those of one. `is_check`: the tier is to be read
    # when it is processed. `depth`: how many rules it follows from.
    """
    CREATE TABLE rule_marks (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id           bigint GENERATED ALWAYS AS IDENTITY,
        icp_id       uuid NOT NULL,
        lead_id      uuid NOT NULL,
        tier         text COLLATE "C",
        is_check     boolean NOT NULL DEFAULT false,
        depth        smallint NOT NULL DEFAULT 0,
        marked_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, id)
    )
    """,
    "CREATE INDEX rule_marks_lead_idx ON rule_marks (workspace_id, lead_id)",
    """
    CREATE TABLE rule_runs (
        workspace_id uuid NOT NULL,
        id           uuid NOT NULL,
        rule_id      uuid NOT NULL,
        lead_id      uuid NOT NULL,
        outcome      text NOT NULL CHECK (outcome IN ('done', 'failed', 'stopped')),
        results      jsonb NOT NULL,
        ran_at       timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, rule_id) REFERENCES rules (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX rule_runs_rule_idx ON rule_runs (workspace_id, rule_id, id DESC)",
    "CREATE INDEX rule_runs_lead_idx ON rule_runs (workspace_id, lead_id)",
    "CREATE INDEX rule_runs_time_idx ON rule_runs (workspace_id, ran_at)",
)
NAMES = ("rules", "rule_members", "rule_marks", "rule_runs")
FUNCTIONS = (
    """
    CREATE FUNCTION rule_scores_added() RETURNS trigger
    LANGUAGE plpgsql SET search_path = leadflood, pg_temp
    AS $$
    BEGIN
        IF EXISTS (SELECT FROM leadflood.rules WHERE enabled) THEN
            INSERT INTO leadflood.rule_marks (workspace_id, icp_id, lead_id, tier, depth)
            SELECT n.workspace_id, i.id, n.lead_id, n.tier,
                   coalesce(nullif(current_setting('app.rule_depth', true), ''), '0')::smallint
            FROM changed n
            JOIN leadflood.icps i ON i.workspace_id = n.workspace_id AND i.live_version_id = n.version_id
            WHERE n.tier IS NOT NULL AND EXISTS (
                SELECT FROM leadflood.rules r WHERE r.workspace_id = n.workspace_id AND r.icp_id = i.id AND r.enabled);
        END IF;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE FUNCTION rule_scores_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = leadflood, pg_temp
    AS $$
    BEGIN
        IF EXISTS (SELECT FROM leadflood.rules WHERE enabled) THEN
            INSERT INTO leadflood.rule_marks (workspace_id, icp_id, lead_id, tier, depth)
            SELECT n.workspace_id, i.id, n.lead_id, n.tier,
                   coalesce(nullif(current_setting('app.rule_depth', true), ''), '0')::smallint
            FROM changed n
            JOIN before o ON o.workspace_id = n.workspace_id AND o.version_id = n.version_id AND o.lead_id = n.lead_id
            JOIN leadflood.icps i ON i.workspace_id = n.workspace_id AND i.live_version_id = n.version_id
            WHERE n.tier IS DISTINCT FROM o.tier AND EXISTS (
                SELECT FROM leadflood.rules r WHERE r.workspace_id = n.workspace_id AND r.icp_id = i.id AND r.enabled);
        END IF;
        RETURN NULL;
    END
    $$
    """,
)
TRIGGERS = (
    ("rule_added", "INSERT", "NEW TABLE AS changed", "rule_scores_added"),
    ("rule_changed", "UPDATE", "OLD TABLE AS before NEW TABLE AS changed", "rule_scores_changed"),
)


def upgrade() -> None:
    """The previous release knows no rules. What its processes score is marked by the triggers."""
    for statement in TABLES:
        op.execute(statement)
    for table in NAMES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING ({TENANT}) WITH CHECK ({TENANT})")
        op.execute(f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system")
    op.execute("GRANT SELECT ON SEQUENCE rule_marks_id_seq TO leadflood_system")
    for function in FUNCTIONS:
        op.execute(function)
    for name, event, rows, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON icp_scores REFERENCING {rows} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    """Drop all rules with their runs."""
    for name, _, _, _ in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON icp_scores")
    for _, _, _, function in TRIGGERS:
        op.execute(f"DROP FUNCTION {function}()")
    for table in reversed(NAMES):
        op.execute(f"DROP TABLE {table}")
