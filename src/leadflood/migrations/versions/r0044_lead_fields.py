"""Fields of a lead are added by one statement, which also adds them to images, history and imports.

Revision ID: 0044
Revises: 0043
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

# The fields are what a lead has in common with a row of an import. Both functions name them one by one: PostgreSQL can
# then put their bodies in the place of their calls.
REWRITE = """
CREATE FUNCTION rewrite_lead_functions() RETURNS void
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
DECLARE
    names text[] := ARRAY(
        SELECT l.attname FROM pg_attribute l
        JOIN pg_attribute r ON r.attrelid = 'import_rows'::regclass AND r.attname = l.attname AND NOT r.attisdropped
        WHERE l.attrelid = 'leads'::regclass AND l.attnum > 0 AND NOT l.attisdropped
          AND l.attname <> ALL ('{workspace_id,email_norm,custom_fields,search_text}')
        ORDER BY l.attnum);
BEGIN
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION lead_image(lead leads) RETURNS jsonb
LANGUAGE sql STABLE
AS $body$
    SELECT jsonb_build_object(
        %s, 'email_norm', lead.email_norm, 'search_text', lead.search_text,
        'deleted_at', extract(epoch FROM lead.deleted_at)
    ) || CASE WHEN lead.custom_fields = '{}' THEN '{}' ELSE custom_image(lead.custom_fields) END
$body$
$function$, (SELECT string_agg(format('%L, lead.%I', name, name), ', ') FROM unnest(names) AS name));
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION lead_fields_differ(one leads, two leads) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $body$
    SELECT (%s, one.custom_fields) IS DISTINCT FROM (%s, two.custom_fields)
$body$
$function$, (SELECT string_agg(format('one.%I', name), ', ') FROM unnest(names) AS name),
            (SELECT string_agg(format('two.%I', name), ', ') FROM unnest(names) AS name));
END
$$
"""

# Without a default, so that no table is rewritten. Processes of the release before it write and read the others.
ADD = """
CREATE PROCEDURE add_lead_field(name text)
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE leads ADD COLUMN %I text', name);
    EXECUTE format('ALTER TABLE import_rows ADD COLUMN %I text', name);
    PERFORM rewrite_lead_functions();
END
$$
"""

# Timelines, images and histories keep what they say of it.
REMOVE = """
CREATE PROCEDURE remove_lead_field(name text)
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
AS $$
BEGIN
    EXECUTE format('ALTER TABLE import_rows DROP COLUMN %I', name);
    PERFORM rewrite_lead_functions();
    EXECUTE format('ALTER TABLE leads DROP COLUMN %I', name);
END
$$
"""
SIGNATURES = (
    "FUNCTION rewrite_lead_functions()",
    "PROCEDURE add_lead_field(text)",
    "PROCEDURE remove_lead_field(text)",
)


def upgrade() -> None:
    """For migrations only: the services own no table, and may not call them."""
    for statement in (REWRITE, ADD, REMOVE):
        op.execute(statement)
    for signature in SIGNATURES:
        op.execute(f"REVOKE ALL ON {signature} FROM PUBLIC")
    op.execute("SELECT rewrite_lead_functions()")


def downgrade() -> None:
    """The functions that they wrote stay: they are those of before in other words."""
    for signature in reversed(SIGNATURES):
        op.execute(f"DROP {signature}")
