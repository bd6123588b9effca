"""Custom fields: their definitions, and an indexed projection of the values that leads have.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

DEFINITIONS = """
CREATE TABLE field_definitions (
    workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           uuid NOT NULL,
    subject      text NOT NULL,
    key          text COLLATE "C" NOT NULL,
    label        text NOT NULL,
    type         text NOT NULL
        CHECK (type IN ('text', 'number', 'date', 'boolean', 'choice', 'multi_choice', 'url', 'person')),
    options      jsonb NOT NULL DEFAULT '[]',
    position     integer NOT NULL,
    archived_at  timestamptz,
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, subject, key)
)
"""

# What filters read: one row for each value, of lists one for each element. The jsonb of the lead stays the record, and
# triggers keep both in step, whoever writes. Numbers are apart, so that they compare as numbers; dates are text in ISO
# 8601, which sorts as they do. Texts are cut: a filter compares fewer characters than that. There is no foreign key to
# the leads, which would be checked for each value: rows come and go by the triggers alone.
PROJECTION = (
    """
CREATE TABLE lead_field_texts (
    workspace_id uuid NOT NULL,
    key          text COLLATE "C" NOT NULL,
    value        text COLLATE "C" NOT NULL,
    lead_id      uuid NOT NULL,
    PRIMARY KEY (workspace_id, key, value, lead_id)
)
""",
    """
CREATE TABLE lead_field_numbers (
    workspace_id uuid NOT NULL,
    key          text COLLATE "C" NOT NULL,
    value        double precision NOT NULL,
    lead_id      uuid NOT NULL,
    PRIMARY KEY (workspace_id, key, value, lead_id)
)
""",
)

FUNCTIONS = (
    """
CREATE FUNCTION custom_texts(custom_fields jsonb) RETURNS TABLE (key text, value text)
LANGUAGE sql IMMUTABLE
AS $$
    SELECT f.key, left(e #>> '{}', 201)
    FROM jsonb_each(custom_fields) f
    CROSS JOIN LATERAL jsonb_array_elements(
        CASE jsonb_typeof(f.value) WHEN 'array' THEN f.value ELSE jsonb_build_array(f.value) END) e
    WHERE jsonb_typeof(e) IN ('string', 'boolean') AND e <> '""'
$$
""",
    """
CREATE FUNCTION custom_numbers(custom_fields jsonb) RETURNS TABLE (key text, value double precision)
LANGUAGE sql IMMUTABLE
AS $$
    SELECT f.key, f.value::double precision FROM jsonb_each(custom_fields) f WHERE jsonb_typeof(f.value) = 'number'
$$
""",
    """
CREATE FUNCTION project_new_leads() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM new_leads WHERE custom_fields <> '{}') THEN
        INSERT INTO lead_field_texts (workspace_id, key, value, lead_id)
        SELECT n.workspace_id, v.key, v.value, n.id FROM new_leads n CROSS JOIN LATERAL custom_texts(n.custom_fields) v
        WHERE n.custom_fields <> '{}'
        ON CONFLICT DO NOTHING;
        INSERT INTO lead_field_numbers (workspace_id, key, value, lead_id)
        SELECT n.workspace_id, v.key, v.value, n.id
        FROM new_leads n CROSS JOIN LATERAL custom_numbers(n.custom_fields) v
        WHERE n.custom_fields <> '{}'
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$
""",
    # Updates that touch no custom field, as those of enrichment, end at the comparison. It joins as many rows as the
    # statement changed, whatever plans its transaction has switched off for itself; the deletes go by the key.
    """
CREATE FUNCTION project_changed_leads() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
SET enable_hashjoin = on SET enable_mergejoin = off SET enable_seqscan = off
AS $$
DECLARE
    changed uuid[];
BEGIN
    IF NOT EXISTS (SELECT FROM new_leads WHERE custom_fields <> '{}')
       AND NOT EXISTS (SELECT FROM old_leads WHERE custom_fields <> '{}') THEN
        RETURN NULL;
    END IF;
    changed := ARRAY(SELECT n.id FROM new_leads n JOIN old_leads o ON o.workspace_id = n.workspace_id AND o.id = n.id
                     WHERE o.custom_fields <> n.custom_fields);
    IF changed = '{}' THEN
        RETURN NULL;
    END IF;
    DELETE FROM lead_field_texts t
    USING (SELECT o.workspace_id, o.id, v.key, v.value
           FROM old_leads o CROSS JOIN LATERAL custom_texts(o.custom_fields) v WHERE o.id = ANY (changed)) g
    WHERE t.workspace_id = g.workspace_id AND t.key = g.key AND t.value = g.value AND t.lead_id = g.id;
    DELETE FROM lead_field_numbers t
    USING (SELECT o.workspace_id, o.id, v.key, v.value
           FROM old_leads o CROSS JOIN LATERAL custom_numbers(o.custom_fields) v WHERE o.id = ANY (changed)) g
    WHERE t.workspace_id = g.workspace_id AND t.key = g.key AND t.value = g.value AND t.lead_id = g.id;
    INSERT INTO lead_field_texts (workspace_id, key, value, lead_id)
    SELECT n.workspace_id, v.key, v.value, n.id FROM new_leads n CROSS JOIN LATERAL custom_texts(n.custom_fields) v
    WHERE n.id = ANY (changed)
    ON CONFLICT DO NOTHING;
    INSERT INTO lead_field_numbers (workspace_id, key, value, lead_id)
    SELECT n.workspace_id, v.key, v.value, n.id FROM new_leads n CROSS JOIN LATERAL custom_numbers(n.custom_fields) v
    WHERE n.id = ANY (changed)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
""",
    """
CREATE FUNCTION project_removed_leads() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
SET enable_hashjoin = on SET enable_mergejoin = off SET enable_seqscan = off
AS $$
BEGIN
    DELETE FROM lead_field_texts t
    USING (SELECT o.workspace_id, o.id, v.key, v.value
           FROM old_leads o CROSS JOIN LATERAL custom_texts(o.custom_fields) v) g
    WHERE t.workspace_id = g.workspace_id AND t.key = g.key AND t.value = g.value AND t.lead_id = g.id;
    DELETE FROM lead_field_numbers t
    USING (SELECT o.workspace_id, o.id, v.key, v.value
           FROM old_leads o CROSS JOIN LATERAL custom_numbers(o.custom_fields) v) g
    WHERE t.workspace_id = g.workspace_id AND t.key = g.key AND t.value = g.value AND t.lead_id = g.id;
    RETURN NULL;
END
$$
""",
)

TRIGGERS = (
    """
CREATE TRIGGER project_new_leads AFTER INSERT ON leads
REFERENCING NEW TABLE AS new_leads FOR EACH STATEMENT EXECUTE FUNCTION project_new_leads()
""",
    """
CREATE TRIGGER project_changed_leads AFTER UPDATE ON leads
REFERENCING OLD TABLE AS old_leads NEW TABLE AS new_leads
FOR EACH STATEMENT EXECUTE FUNCTION project_changed_leads()
""",
    """
CREATE TRIGGER project_removed_leads AFTER DELETE ON leads
REFERENCING OLD TABLE AS old_leads FOR EACH STATEMENT EXECUTE FUNCTION project_removed_leads()
""",
)
TABLES = ("field_definitions", "lead_field_texts", "lead_field_numbers")


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


def upgrade() -> None:
    """Old code writes leads as before: the triggers project what it writes. The next revision projects old leads."""
    for statement in (DEFINITIONS, *PROJECTION, *FUNCTIONS):
        op.execute(statement)
    for table in TABLES:
        _secure(table)
    for statement in TRIGGERS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the projection and the definitions: the leads keep their values."""
    for name in ("project_new_leads", "project_changed_leads", "project_removed_leads"):
        op.execute(f"DROP TRIGGER {name} ON leads")
        op.execute(f"DROP FUNCTION {name}()")
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION custom_numbers(jsonb)")
    op.execute("DROP FUNCTION custom_texts(jsonb)")
