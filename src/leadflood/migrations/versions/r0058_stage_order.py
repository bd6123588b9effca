"""Leads sorted by the team's order of stages.

Revision ID: 0058
Revises: 0057
"""

from alembic import op

from leadflood.migrations.versions.r0054_lead_stages import SEARCH_BY_STAGE

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

# The keys of a workspace's stages in order; of a workspace without rows, those of the default stages.
KEYS = """
CREATE FUNCTION stage_keys(workspace uuid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = leadflood, pg_temp
AS $$
    SELECT coalesce((SELECT array_agg(key ORDER BY position, key) FROM lead_stages WHERE workspace_id = workspace),
                    '{new,working,qualified,customer,disqualified}')
$$
"""
RIGHTS = (
    "GRANT SELECT (workspace_id, key, position) ON lead_stages TO leadflood_search",
    "CREATE POLICY search ON lead_stages FOR SELECT TO leadflood_search USING (true)",
)

# Leads sorted by stage are read stage by stage, each one in the order of ids, which the index of stages has. Leads
# without a stage come last. `after` has the stage and the id of the last lead, or its id alone.
NOT_FOLDED = (f"\n{' ' * 32}WHEN 'stage' THEN 'stage' END", " END")
PARTS = (
    "    parts     text[] := CASE WHEN optional IS NULL THEN ARRAY['']",
    """\
    stages    text[] := CASE WHEN sort = 'stage' THEN stage_keys(workspace) END;
    start     integer := 1;
    parts     text[] := CASE WHEN sort = 'stage' THEN
                                 ARRAY(SELECT ' AND stage IS NOT NULL AND search_key(stage) COLLATE "C" = '
                                              || quote_literal(search_key(key))
                                       FROM unnest(stages) WITH ORDINALITY AS keys (key, place)
                                       ORDER BY CASE WHEN descending THEN -place ELSE place END)
                                 || format(' AND (stage IS NULL OR stage <> ALL (%L::text[]))', stages)
                             WHEN optional IS NULL THEN ARRAY['']""",
)
CHECK = (
    "    IF sort IS NOT NULL AND cardinality(sort_keys) = 1 THEN",
    "    IF sort IS NOT NULL AND sort <> 'stage' AND cardinality(sort_keys) = 1 THEN",
)
LOOP = (
    """\
    FOR part IN 1 .. cardinality(parts) LOOP
        EXIT WHEN page_size <= 0;
        CONTINUE WHEN part < cardinality(parts) AND cardinality(after) = 1;
""",
    """\
    IF cardinality(after) = 1 THEN
        start := cardinality(parts);
    ELSIF sort = 'stage' AND cardinality(after) = 2 THEN
        start := coalesce(array_position(stages, after[1]), cardinality(parts));
        IF descending AND start < cardinality(parts) THEN
            start := cardinality(parts) - start;
        END IF;
        after := after[2:2];
    END IF;
    FOR part IN start .. cardinality(parts) LOOP
        EXIT WHEN page_size <= 0;
        IF part > start THEN
            after := NULL;
        END IF;
""",
)
SEARCH = SEARCH_BY_STAGE
for _before, _after in (NOT_FOLDED, PARTS, CHECK, LOOP):
    SEARCH = SEARCH.replace(_before, _after)


def upgrade() -> None:
    """The previous release keeps working: the function takes what it took."""
    op.execute(KEYS)
    for statement in RIGHTS:
        op.execute(statement)
    op.execute(SEARCH)


def downgrade() -> None:
    """Sort by key again."""
    op.execute(SEARCH_BY_STAGE)
    op.execute("DROP POLICY search ON lead_stages")
    op.execute("REVOKE SELECT (workspace_id, key, position) ON lead_stages FROM leadflood_search")
    op.execute("DROP FUNCTION stage_keys(uuid)")
