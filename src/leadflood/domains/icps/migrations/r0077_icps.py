"""Ideal customer profiles: versions, scores, and the facts that scores are made of.

Facts and marks of changed leads are written by triggers, so that no path can forget them, and only in workspaces with a
version that is scored.

Revision ID: 0077
Revises: 0076
"""

from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

TENANT = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = (
    """
    CREATE TABLE icps (
        workspace_id    uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id              uuid NOT NULL,
        name            text NOT NULL,
        name_key        text COLLATE "C" NOT NULL,
        is_main         boolean NOT NULL DEFAULT false,
        live_version_id uuid,
        version         integer NOT NULL DEFAULT 1,
        created_at      timestamptz NOT NULL DEFAULT now(),
        updated_at      timestamptz NOT NULL DEFAULT now(),
        deleted_at      timestamptz,
        PRIMARY KEY (workspace_id, id),
        CHECK (deleted_at IS NULL OR (live_version_id IS NULL AND NOT is_main))
    )
    """,
    "CREATE UNIQUE INDEX icps_name_key ON icps (workspace_id, name_key) WHERE deleted_at IS NULL",
    "CREATE UNIQUE INDEX icps_main_key ON icps (workspace_id) WHERE is_main",
    # `shapes`: types of the custom fields that the body names, as a version keeps its meaning. `after_id`, `scored`:
    # how far its publication is.
    """
    CREATE TABLE icp_versions (
        workspace_id uuid NOT NULL,
        id           uuid NOT NULL,
        icp_id       uuid NOT NULL,
        number       integer NOT NULL,
        state        text NOT NULL CHECK (state IN ('draft', 'publishing', 'live', 'superseded')),
        body         jsonb NOT NULL,
        shapes       jsonb NOT NULL,
        job_id       uuid,
        after_id     uuid,
        scored       integer NOT NULL DEFAULT 0,
        changed_at   timestamptz NOT NULL DEFAULT now(),
        published_at timestamptz,
        PRIMARY KEY (workspace_id, id),
        FOREIGN KEY (workspace_id, icp_id) REFERENCES icps (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE UNIQUE INDEX icp_versions_number_key ON icp_versions (workspace_id, icp_id, number)",
    "CREATE UNIQUE INDEX icp_versions_draft_key ON icp_versions (workspace_id, icp_id) WHERE state = 'draft'",
    "CREATE UNIQUE INDEX icp_versions_publishing_key ON icp_versions (workspace_id, icp_id) WHERE state = 'publishing'",
    """
    CREATE UNIQUE INDEX icp_versions_scored_key ON icp_versions (workspace_id, id)
    WHERE state IN ('publishing', 'live')
    """,
    # Without a tier: excluded, now (`tier`), in the worst case or for sure.
    """
    CREATE TABLE icp_scores (
        workspace_id uuid NOT NULL,
        version_id   uuid NOT NULL,
        lead_id      uuid NOT NULL,
        score        integer NOT NULL,
        lo           integer NOT NULL,
        hi           integer NOT NULL,
        tier         text COLLATE "C",
        worst        text COLLATE "C",
        best         text COLLATE "C",
        excluded_by  text,
        known        smallint NOT NULL,
        scored_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, version_id, lead_id),
        CHECK (score BETWEEN lo AND hi),
        FOREIGN KEY (workspace_id, version_id) REFERENCES icp_versions (workspace_id, id) ON DELETE CASCADE,
        FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX icp_scores_tier_idx ON icp_scores (workspace_id, version_id, tier, score DESC, lead_id)",
    "CREATE INDEX icp_scores_lead_idx ON icp_scores (workspace_id, lead_id)",
    # The chosen values of a lead or company, by field: a value, or a list of them; and when each was last observed.
    """
    CREATE TABLE icp_facts (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        subject_id   uuid NOT NULL,
        facts        jsonb NOT NULL,
        observed     jsonb NOT NULL,
        PRIMARY KEY (workspace_id, subject_id)
    )
    """,
    # Leads to score again. Rows of several transactions never conflict, so that none waits for another.
    """
    CREATE TABLE icp_pending (
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        id           uuid NOT NULL DEFAULT gen_random_uuid(),
        lead_id      uuid NOT NULL,
        marked_at    timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, id)
    )
    """,
    "CREATE INDEX icp_pending_lead_idx ON icp_pending (workspace_id, lead_id)",
)
NAMES = ("icps", "icp_versions", "icp_scores", "icp_facts", "icp_pending")
SEARCHED = ("icps", "icp_scores")
# The scores that lists show: those of the live versions. Runs with the rights of the caller.
VIEWS = (
    """
    CREATE VIEW live_icp_scores WITH (security_invoker = true) AS
    SELECT s.workspace_id, i.id AS icp_id, i.is_main, s.lead_id, s.score, s.lo, s.hi, s.tier, s.excluded_by, s.known
    FROM icps i JOIN icp_scores s ON s.workspace_id = i.workspace_id AND s.version_id = i.live_version_id
    """,
)
FUNCTIONS = (
    # Rebuild the facts of subjects from what is chosen and not retracted.
    """
    CREATE FUNCTION refresh_icp_facts(workspace uuid, subjects uuid[]) RETURNS void
    LANGUAGE sql SET search_path = leadflood, pg_temp
    BEGIN ATOMIC
        WITH chosen AS (
            SELECT c.subject_id, c.field, bool_or(c.item <> '') AS multiple,
                   jsonb_agg(v.value ORDER BY c.confidence DESC, c.item) AS items,
                   max(extract(epoch FROM v.observed_at)) AS observed
            FROM unnest(subjects) AS given (id)
            CROSS JOIN LATERAL (
                SELECT * FROM chosen_values WHERE workspace_id = workspace AND subject_id = given.id OFFSET 0
            ) c
            CROSS JOIN LATERAL (
                SELECT * FROM found_values
                WHERE workspace_id = workspace AND lookup_id = c.lookup_id AND id = c.value_id
                  AND retraction_id IS NULL
                LIMIT 1
            ) v
            GROUP BY c.subject_id, c.field
        ), built AS (
            SELECT subject_id, jsonb_object_agg(field, CASE WHEN multiple THEN items ELSE items -> 0 END) AS facts,
                   jsonb_object_agg(field, observed) AS observed
            FROM chosen GROUP BY subject_id
        )
        INSERT INTO icp_facts (workspace_id, subject_id, facts, observed)
        SELECT workspace, given.id, coalesce(b.facts, '{}'), coalesce(b.observed, '{}')
        FROM (SELECT DISTINCT id FROM unnest(subjects) AS all_given (id) ORDER BY id) given
        LEFT JOIN built b ON b.subject_id = given.id
        ON CONFLICT (workspace_id, subject_id) DO UPDATE SET facts = excluded.facts, observed = excluded.observed
        WHERE (icp_facts.facts, icp_facts.observed) IS DISTINCT FROM (excluded.facts, excluded.observed);
    END
    """,
    # Whether a version of the workspace is scored.
    """
    CREATE FUNCTION has_scored_icps(workspace uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = leadflood, pg_temp
    RETURN EXISTS (SELECT FROM icp_versions WHERE workspace_id = workspace AND state IN ('publishing', 'live'))
    """,
    # Choices or their values have changed: facts follow, and leads are marked, those of a company as well.
    """
    CREATE FUNCTION icp_choices_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = leadflood, pg_temp
    AS $$
    DECLARE
        workspace uuid;
        subjects  uuid[];
    BEGIN
        FOR workspace, subjects IN
            SELECT workspace_id, array_agg(DISTINCT subject_id) FROM changed GROUP BY workspace_id
        LOOP
            IF leadflood.has_scored_icps(workspace) THEN
                PERFORM leadflood.refresh_icp_facts(workspace, subjects);
                INSERT INTO leadflood.icp_pending (workspace_id, lead_id)
                SELECT workspace, id FROM leadflood.leads WHERE workspace_id = workspace AND id = ANY (subjects)
                UNION
                SELECT workspace, lead_id FROM leadflood.company_leads
                WHERE workspace_id = workspace AND company_id = ANY (subjects);
            END IF;
        END LOOP;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE FUNCTION icp_values_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = leadflood, pg_temp
    AS $$
    DECLARE
        workspace uuid;
        subjects  uuid[];
    BEGIN
        FOR workspace, subjects IN
            SELECT n.workspace_id, array_agg(DISTINCT c.subject_id)
            FROM (
                SELECT workspace_id, lookup_id, id
                FROM (SELECT workspace_id, lookup_id, id, retraction_id FROM changed
                      UNION ALL SELECT workspace_id, lookup_id, id, retraction_id FROM before) versions
                GROUP BY workspace_id, lookup_id, id
                HAVING count(DISTINCT retraction_id) = 2 OR count(retraction_id) = 1
            ) n
            CROSS JOIN LATERAL (
                SELECT subject_id FROM leadflood.chosen_values
                WHERE workspace_id = n.workspace_id AND lookup_id = n.lookup_id AND value_id = n.id OFFSET 0
            ) c
            GROUP BY n.workspace_id
        LOOP
            IF leadflood.has_scored_icps(workspace) THEN
                PERFORM leadflood.refresh_icp_facts(workspace, subjects);
                INSERT INTO leadflood.icp_pending (workspace_id, lead_id)
                SELECT workspace, id FROM leadflood.leads WHERE workspace_id = workspace AND id = ANY (subjects)
                UNION
                SELECT workspace, lead_id FROM leadflood.company_leads
                WHERE workspace_id = workspace AND company_id = ANY (subjects);
            END IF;
        END LOOP;
        RETURN NULL;
    END
    $$
    """,
    # Leads or their links have changed. No nested loops: the plan of the first, often single, row is kept.
    """
    CREATE FUNCTION icp_leads_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = leadflood, pg_temp SET enable_nestloop = off
    AS $$
    DECLARE
        workspace uuid;
    BEGIN
        FOR workspace IN SELECT DISTINCT workspace_id FROM changed
        LOOP
            IF leadflood.has_scored_icps(workspace) THEN
                IF TG_OP = 'UPDATE' THEN
                    INSERT INTO leadflood.icp_pending (workspace_id, lead_id)
                    SELECT workspace, n.id FROM changed n
                    JOIN before o ON o.workspace_id = n.workspace_id AND o.id = n.id
                    WHERE n.workspace_id = workspace AND (%s) IS DISTINCT FROM (%s);
                ELSE
                    INSERT INTO leadflood.icp_pending (workspace_id, lead_id)
                    SELECT workspace, id FROM changed WHERE workspace_id = workspace;
                END IF;
            END IF;
        END LOOP;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE FUNCTION icp_links_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = leadflood, pg_temp
    AS $$
    DECLARE
        workspace uuid;
    BEGIN
        FOR workspace IN SELECT DISTINCT workspace_id FROM changed
        LOOP
            IF leadflood.has_scored_icps(workspace) THEN
                INSERT INTO leadflood.icp_pending (workspace_id, lead_id)
                SELECT workspace, lead_id FROM changed WHERE workspace_id = workspace;
            END IF;
        END LOOP;
        RETURN NULL;
    END
    $$
    """,
    # A company was deleted, restored or merged: its facts count for its leads, or no longer do.
    """
    CREATE FUNCTION icp_companies_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = leadflood, pg_temp SET enable_nestloop = off
    AS $$
    DECLARE
        workspace uuid;
        companies uuid[];
    BEGIN
        FOR workspace, companies IN
            SELECT n.workspace_id, array_agg(n.id) FROM changed n
            JOIN before o ON o.workspace_id = n.workspace_id AND o.id = n.id
            WHERE (n.deleted_at IS NULL, n.merged_into) IS DISTINCT FROM (o.deleted_at IS NULL, o.merged_into)
            GROUP BY n.workspace_id
        LOOP
            IF leadflood.has_scored_icps(workspace) THEN
                INSERT INTO leadflood.icp_pending (workspace_id, lead_id)
                SELECT workspace, lead_id FROM leadflood.company_leads
                WHERE workspace_id = workspace AND company_id = ANY (companies);
            END IF;
        END LOOP;
        RETURN NULL;
    END
    $$
    """,
)
COLUMNS = (
    *("stage", "company", "job_title", "phone", "country", "website", "source", "owner_id", "custom_fields"),
    *("found_company", "found_job_title", "found_phone", "found_country", "found_website", "deleted_at"),
)
OLD, NEW = "OLD TABLE AS before", "NEW TABLE AS changed"
TRIGGERS = (
    ("chosen_values", "icp_chosen", "INSERT", NEW, "icp_choices_changed"),
    ("chosen_values", "icp_rechosen", "UPDATE", NEW, "icp_choices_changed"),
    ("chosen_values", "icp_unchosen", "DELETE", "OLD TABLE AS changed", "icp_choices_changed"),
    ("found_values", "icp_retracted", "UPDATE", f"{OLD} {NEW}", "icp_values_changed"),
    ("leads", "icp_created", "INSERT", NEW, "icp_leads_changed"),
    ("leads", "icp_updated", "UPDATE", f"{OLD} {NEW}", "icp_leads_changed"),
    ("company_leads", "icp_linked", "INSERT", NEW, "icp_links_changed"),
    ("company_leads", "icp_relinked", "UPDATE", NEW, "icp_links_changed"),
    ("company_leads", "icp_unlinked", "DELETE", "OLD TABLE AS changed", "icp_links_changed"),
    ("companies", "icp_changed", "UPDATE", f"{OLD} {NEW}", "icp_companies_changed"),
)


def upgrade() -> None:
    """The previous release knows no profiles. What its processes change is marked by the triggers."""
    for statement in (*TABLES, *VIEWS):
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
    op.execute("GRANT SELECT ON live_icp_scores TO leadflood_app, leadflood_system, leadflood_search")
    compared = [", ".join(f"{row}.{name}" for name in COLUMNS) for row in "no"]
    for function in FUNCTIONS:
        op.execute(function % tuple(compared) if "(%s) IS DISTINCT FROM (%s)" in function else function)
    for table, name, event, rows, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    """Drop all profiles and scores."""
    for table, name, *_ in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute("DROP FUNCTION icp_companies_changed, icp_links_changed, icp_leads_changed, icp_values_changed")
    op.execute("DROP FUNCTION icp_choices_changed, has_scored_icps, refresh_icp_facts")
    op.execute("DROP VIEW live_icp_scores")
    op.execute("DROP TABLE icp_pending, icp_facts, icp_scores, icp_versions, icps")
