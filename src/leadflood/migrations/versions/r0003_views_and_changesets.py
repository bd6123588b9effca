"""Saved views of leads, and changesets that can be undone.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHANGESETS = """
CREATE TABLE lead_changesets (
    workspace_id   uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id             uuid NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('bulk', 'import', 'merge')),
    label          text NOT NULL,
    request        jsonb NOT NULL DEFAULT '{}',
    status         text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'applied', 'undoing', 'undone')),
    actor_kind     text NOT NULL CHECK (actor_kind IN ('user', 'api_key', 'cli', 'system')),
    actor_id       uuid,
    job_id         uuid,
    wanted         bigint NOT NULL DEFAULT 0,
    done           bigint NOT NULL DEFAULT 0,
    created        bigint NOT NULL DEFAULT 0,
    updated        bigint NOT NULL DEFAULT 0,
    deleted        bigint NOT NULL DEFAULT 0,
    restored       bigint NOT NULL DEFAULT 0,
    undone         bigint NOT NULL DEFAULT 0,
    kept           bigint NOT NULL DEFAULT 0,
    kept_leads     bigint NOT NULL DEFAULT 0,
    position       jsonb,
    undo_position  uuid,
    undone_by_kind text CHECK (undone_by_kind IN ('user', 'api_key', 'cli', 'system')),
    undone_by      uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    applied_at     timestamptz,
    undone_at      timestamptz,
    forgotten_at   timestamptz,
    PRIMARY KEY (workspace_id, id),
    CHECK ((status = 'open') = (applied_at IS NULL)),
    CHECK ((status = 'undone') = (undone_at IS NOT NULL))
);
CREATE INDEX lead_changesets_updated_at_idx ON lead_changesets (updated_at) WHERE forgotten_at IS NULL;
CREATE INDEX lead_changesets_forgotten_idx ON lead_changesets (forgotten_at) WHERE forgotten_at IS NOT NULL;

CREATE TABLE lead_changes (
    workspace_id uuid NOT NULL,
    changeset_id uuid NOT NULL,
    lead_id      uuid NOT NULL,
    change       text NOT NULL CHECK (change IN ('created', 'updated', 'deleted', 'restored')),
    before       jsonb,
    after        jsonb NOT NULL,
    kept         text[],
    PRIMARY KEY (workspace_id, changeset_id, lead_id),
    FOREIGN KEY (workspace_id, changeset_id) REFERENCES lead_changesets (workspace_id, id) ON DELETE CASCADE,
    CHECK ((change = 'created') = (before IS NULL))
);
CREATE INDEX lead_changes_kept_idx ON lead_changes (workspace_id, changeset_id, lead_id) WHERE kept IS NOT NULL;
"""

VIEWS = """
CREATE TABLE saved_views (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    user_id      uuid NOT NULL,
    name         text NOT NULL,
    shared       boolean NOT NULL DEFAULT false,
    filter       jsonb NOT NULL,
    sort         text NOT NULL,
    columns      text[] NOT NULL,
    position     integer NOT NULL,
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES memberships (workspace_id, user_id) ON DELETE CASCADE
);
CREATE INDEX saved_views_user_idx ON saved_views (workspace_id, user_id);
"""

# What a changeset remembers of a lead: its fields, each custom field by itself, in the names of the columns. PostgreSQL
# puts the bodies of `lead_image` and `lead_difference` in the place of their calls, which the loop over custom fields
# would prevent: so that one is a function of its own.
IMAGE = (
    """
CREATE FUNCTION custom_image(custom_fields jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
    SELECT coalesce(jsonb_object_agg('custom_fields.' || key, value), '{}') FROM jsonb_each(custom_fields)
$$
""",
    """
CREATE FUNCTION lead_image(lead leads) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
    SELECT jsonb_build_object(
        'email', lead.email, 'email_norm', lead.email_norm, 'first_name', lead.first_name,
        'last_name', lead.last_name, 'company', lead.company, 'job_title', lead.job_title, 'phone', lead.phone,
        'website', lead.website, 'country', lead.country, 'source', lead.source, 'owner_id', lead.owner_id,
        'search_text', lead.search_text, 'deleted_at', extract(epoch FROM lead.deleted_at)
    ) || CASE WHEN lead.custom_fields = '{}' THEN '{}' ELSE custom_image(lead.custom_fields) END
$$
""",
    """
CREATE FUNCTION lead_difference(old_image jsonb, new_image jsonb) RETURNS TABLE (before jsonb, after jsonb)
LANGUAGE sql IMMUTABLE
AS $$
    SELECT jsonb_object_agg(key, coalesce(old_image -> key, 'null')),
           jsonb_object_agg(key, coalesce(new_image -> key, 'null'))
    FROM jsonb_object_keys(old_image || new_image) AS key
    WHERE coalesce(old_image -> key, 'null') <> coalesce(new_image -> key, 'null')
$$
""",
)

# LIKE is not leakproof, so under row-level security no index would serve it: see the function of the same name in the
# first revision, which stays for processes of the release before this one. This one knows more filters.
#
# PostgreSQL cannot tell how often a part of a text occurs. So the newest leads are asked first, in a millisecond or
# two. Where much is found, the list is walked in its order, just far enough; where little is, or more than can be
# walked in time, trigrams find it (OFFSET 0 keeps the planner from walking) and it is sorted. `walkable` is how many
# rows of each order can be walked in about 30 ms: only that of creation is the order of the table. One or two letters
# have no trigram except at the beginning of a word, so they find that. Without `sort_column` any leads are returned, to
# be counted.
SEARCH = r"""
CREATE FUNCTION search_leads(needle text, beginnings boolean, statuses text[], sources text[], countries text[],
                             only_owner uuid, unowned boolean, with_phone boolean,
                             created_from timestamptz, created_until timestamptz,
                             updated_from timestamptz, updated_until timestamptz,
                             sort_column text, descending boolean,
                             after_time timestamptz, after_text text, after_id uuid, page_size integer)
RETURNS SETOF leads
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = leadflood, pg_temp SET enable_seqscan = off
AS $$
DECLARE
    workspace uuid := nullif(current_setting('app.workspace_id', true), '')::uuid;
    escaped   text := replace(replace(replace(needle, '\', '\\'), '%', '\%'), '_', '\_');
    living    text := format(' FROM leads WHERE workspace_id = %L AND deleted_at IS NULL', workspace);
    patterns  text[] := CASE WHEN beginnings
                             THEN ARRAY[escaped || '%', '% ' || escaped || '%', E'%\n' || escaped || '%']
                             ELSE ARRAY['%' || escaped || '%'] END;
    matching  text := (SELECT '(' || string_agg(format('search_text LIKE %L', pattern), ' OR ') || ')'
                       FROM unnest(patterns) AS pattern);
    beyond    text := CASE WHEN descending THEN '<' ELSE '>' END;
    direction text := CASE WHEN descending THEN 'DESC' ELSE 'ASC' END;
    ordered   text := CASE WHEN sort_column IS NULL THEN ''
                           ELSE format(' ORDER BY %I %s, id %s', sort_column, direction, direction) END;
    further   text := '';
    far       text;
    walkable  integer := CASE sort_column WHEN 'created_at' THEN 40000 WHEN 'updated_at' THEN 15000 ELSE 10000 END;
    asked     integer := 2000;
    seen      integer;
    hits      integer;
    found     integer;
BEGIN
    IF workspace IS NULL THEN
        RETURN;
    END IF;
    IF sort_column NOT IN ('created_at', 'updated_at', 'email_norm') THEN
        RAISE EXCEPTION 'cannot sort leads by %', sort_column;
    END IF;
    living := living
        || CASE cardinality(statuses) WHEN 0 THEN '' WHEN 1 THEN format(' AND status = %L', statuses[1])
                ELSE format(' AND status = ANY (%L)', statuses) END
        || CASE cardinality(sources) WHEN 0 THEN '' WHEN 1 THEN format(' AND source = %L', sources[1])
                ELSE format(' AND source = ANY (%L)', sources) END
        || CASE cardinality(countries) WHEN 0 THEN '' WHEN 1 THEN format(' AND country = %L', countries[1])
                ELSE format(' AND country = ANY (%L)', countries) END
        || CASE WHEN only_owner IS NULL THEN '' ELSE format(' AND owner_id = %L', only_owner) END
        || CASE WHEN unowned THEN ' AND owner_id IS NULL' ELSE '' END
        || CASE with_phone WHEN true THEN ' AND phone IS NOT NULL' WHEN false THEN ' AND phone IS NULL' ELSE '' END
        || CASE WHEN created_from IS NULL THEN '' ELSE format(' AND created_at >= %L', created_from) END
        || CASE WHEN created_until IS NULL THEN '' ELSE format(' AND created_at < %L', created_until) END
        || CASE WHEN updated_from IS NULL THEN '' ELSE format(' AND updated_at >= %L', updated_from) END
        || CASE WHEN updated_until IS NULL THEN '' ELSE format(' AND updated_at < %L', updated_until) END;
    EXECUTE 'SELECT count(*), count(*) FILTER (WHERE ' || matching || ') FROM (SELECT search_text' || living
        || ' ORDER BY created_at DESC, id DESC LIMIT ' || asked || ') newest'
        INTO seen, hits;
    IF after_id IS NOT NULL THEN
        further := format(' AND (%I, id) %s (%L, %L)', sort_column, beyond,
                          CASE WHEN sort_column = 'email_norm' THEN after_text ELSE after_time::text END, after_id);
    END IF;
    IF seen < asked OR sort_column IS NULL AND hits * 5 > seen THEN
        RETURN QUERY EXECUTE 'SELECT * FROM (SELECT *' || living || further || ' OFFSET 0) few WHERE ' || matching
            || ordered || ' LIMIT ' || page_size;
        RETURN;
    END IF;
    IF sort_column IS NOT NULL AND page_size::bigint * seen <= hits * walkable THEN
        RETURN QUERY EXECUTE 'SELECT * FROM (SELECT *' || living || further || ordered || ' LIMIT ' || walkable
            || ') near WHERE ' || matching || ordered || ' LIMIT ' || page_size;
        GET DIAGNOSTICS found = ROW_COUNT;
        IF found >= page_size THEN
            RETURN;
        END IF;
        page_size := page_size - found;
        EXECUTE format('SELECT %I, id', sort_column) || living || further || ordered || ' OFFSET ' || walkable - 1
            || ' LIMIT 1' INTO after_text, after_id;
        IF after_id IS NULL THEN
            RETURN;
        END IF;
        further := format(' AND (%I, id) %s (%L, %L)', sort_column, beyond, after_text, after_id);
    END IF;
    far := format('SELECT id AS far_id, %I AS far_key', coalesce(sort_column, 'id')) || living || further;
    far := CASE WHEN hits * 50 > seen THEN far || ' AND ' || matching
                ELSE (SELECT string_agg(far || format(' AND search_text LIKE %L', pattern), ' UNION ')
                      FROM unnest(patterns) AS pattern) END;
    ordered := format(' ORDER BY far_key %s, far_id %s', direction, direction);
    RETURN QUERY EXECUTE 'SELECT leads.* FROM (SELECT * FROM (' || far || ' OFFSET 0) far'
        || CASE WHEN sort_column IS NULL THEN '' ELSE ordered END || ' LIMIT ' || page_size
        || format(') page JOIN leads ON workspace_id = %L AND id = far_id', workspace) || ordered;
END
$$
"""

SEARCH_SIGNATURE = (
    "search_leads(text, boolean, text[], text[], text[], uuid, boolean, boolean, timestamptz, timestamptz, timestamptz,"
    " timestamptz, text, boolean, timestamptz, text, uuid, integer)"
)

# The columns after `id` let an index pass over what a filter leaves out without a look at the table, and be counted.
# The statistics tell the planner which filters exclude each other: else it walks a whole list for what is not there.
INDEXES = (
    "DROP INDEX CONCURRENTLY IF EXISTS leads_list_idx",
    """
    CREATE INDEX CONCURRENTLY leads_list_idx
        ON leads (workspace_id, created_at, id, updated_at, status, source, country, owner_id, phone)
        WHERE deleted_at IS NULL
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS leads_latest_idx",
    """
    CREATE INDEX CONCURRENTLY leads_latest_idx
        ON leads (workspace_id, updated_at, id, created_at, status, source, country, owner_id, phone)
        WHERE deleted_at IS NULL
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS leads_country_idx",
    """
    CREATE INDEX CONCURRENTLY leads_country_idx ON leads (workspace_id, country, created_at, id)
        WHERE deleted_at IS NULL AND country IS NOT NULL
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS leads_created_at_idx",
    "DROP INDEX CONCURRENTLY IF EXISTS leads_updated_at_idx",
    "DROP STATISTICS IF EXISTS leads_filters",
    "CREATE STATISTICS leads_filters (mcv) ON workspace_id, status, source, country, owner_id FROM leads",
)
FORMER_INDEXES = (
    "DROP STATISTICS leads_filters",
    "CREATE INDEX leads_created_at_idx ON leads (workspace_id, created_at, id) WHERE deleted_at IS NULL",
    "CREATE INDEX leads_updated_at_idx ON leads (workspace_id, updated_at, id) WHERE deleted_at IS NULL",
    "DROP INDEX leads_country_idx",
    "DROP INDEX leads_latest_idx",
    "DROP INDEX leads_list_idx",
)

TENANT_TABLES = ("lead_changesets", "lead_changes", "saved_views")


def _statements(script: str) -> list[str]:
    return [part.strip() for part in script.split(";\n") if part.strip()]


def _secure(table: str) -> None:
    tenant = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} USING ({tenant}) WITH CHECK ({tenant})",
        f"CREATE POLICY system ON {table} TO leadflood_system USING (true) WITH CHECK (true)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO leadflood_app, leadflood_system",
    ):
        op.execute(statement)


def _own(signature: str, owner: str) -> None:
    for statement in (
        f"GRANT CREATE ON SCHEMA leadflood TO {owner}",
        f"ALTER FUNCTION {signature} OWNER TO {owner}",
        f"REVOKE CREATE ON SCHEMA leadflood FROM {owner}",
    ):
        op.execute(statement)


def upgrade() -> None:
    """Replace indexes without holding up who writes, then create the tables and functions. Safe to repeat."""
    with op.get_context().autocommit_block():
        for statement in INDEXES:
            op.execute(statement)
    for script in (CHANGESETS, VIEWS):
        for statement in _statements(script):
            op.execute(statement)
    for table in TENANT_TABLES:
        _secure(table)
    for function in IMAGE:
        op.execute(function)
    op.execute(SEARCH)
    op.execute(f"REVOKE ALL ON FUNCTION {SEARCH_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SEARCH_SIGNATURE} TO leadflood_app")
    _own(SEARCH_SIGNATURE, "leadflood_search")


def downgrade() -> None:
    """Drop them: what was changed stays changed."""
    for statement in FORMER_INDEXES:
        op.execute(statement)
    op.execute(f"DROP FUNCTION {SEARCH_SIGNATURE}")
    op.execute("DROP FUNCTION lead_difference(jsonb, jsonb)")
    op.execute("DROP FUNCTION lead_image(leads)")
    op.execute("DROP FUNCTION custom_image(jsonb)")
    for table in reversed(TENANT_TABLES):
        op.execute(f"DROP TABLE {table}")
