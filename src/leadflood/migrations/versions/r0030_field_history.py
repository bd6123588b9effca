"""Field history: who or what set which field of a lead to which value, and when.

Revision ID: 0030
Revises: 0029
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

# Changes only: what a lead was created with is what is left when they are taken back. So creating leads costs nothing.
# A lead's changes are in the order of their ids, because each is written while the lead is locked.
HISTORY = """
CREATE TABLE lead_field_history (
    workspace_id uuid NOT NULL,
    lead_id      uuid NOT NULL,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    field        text COLLATE "C" NOT NULL,
    old_value    jsonb,
    new_value    jsonb,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text NOT NULL,
    actor_id     uuid,
    source       text NOT NULL,
    changeset_id uuid,
    PRIMARY KEY (workspace_id, lead_id, id),
    FOREIGN KEY (workspace_id, lead_id) REFERENCES leads (workspace_id, id) ON DELETE CASCADE
)
"""
SECURED = (
    "ALTER TABLE lead_field_history ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE lead_field_history FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY tenant ON lead_field_history
        USING (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
        WITH CHECK (workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid)
    """,
    "CREATE POLICY system ON lead_field_history TO leadflood_system USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT ON lead_field_history TO leadflood_app, leadflood_system",
)

# Whether an update changes what people say of a lead. Names of columns, as in `lead_image`: both get a new field.
DIFFER = """
CREATE FUNCTION lead_fields_differ(one leads, two leads) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT (one.email, one.first_name, one.last_name, one.company, one.job_title, one.phone, one.website, one.country,
            one.source, one.owner_id, one.custom_fields)
           IS DISTINCT FROM
           (two.email, two.first_name, two.last_name, two.company, two.job_title, two.phone, two.website, two.country,
            two.source, two.owner_id, two.custom_fields)
$$
"""

# Whoever writes says in `app.field_change` who it is and why; the release before this one does not. Plans that the
# transaction has switched off for itself are on: both tables have as many rows as the statement changed.
RECORD = """
CREATE FUNCTION record_field_history() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
SET enable_hashjoin = on SET enable_mergejoin = off
AS $$
DECLARE
    change jsonb := coalesce(nullif(current_setting('app.field_change', true), ''), '{}')::jsonb;
BEGIN
    INSERT INTO lead_field_history (workspace_id, lead_id, field, old_value, new_value, actor_kind, actor_id, source,
                                    changeset_id)
    SELECT changed.workspace_id, changed.id, f.key, nullif(d.before -> f.key, 'null'), nullif(f.value, 'null'),
           coalesce(change ->> 'actor_kind', 'system'), (change ->> 'actor_id')::uuid,
           coalesce(change ->> 'source', 'system'), (change ->> 'changeset_id')::uuid
    FROM (SELECT n.workspace_id, n.id,
                 lead_image(ROW(o.*)::leads) AS old_image, lead_image(ROW(n.*)::leads) AS new_image
          FROM new_leads n JOIN old_leads o ON o.workspace_id = n.workspace_id AND o.id = n.id
          WHERE lead_fields_differ(ROW(o.*)::leads, ROW(n.*)::leads)
          OFFSET 0) changed
    CROSS JOIN LATERAL lead_difference(changed.old_image - '{email_norm,search_text,deleted_at}'::text[],
                                       changed.new_image - '{email_norm,search_text,deleted_at}'::text[]) d
    CROSS JOIN LATERAL jsonb_each(d.after) f
    ORDER BY changed.id, f.key;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER record_field_history AFTER UPDATE ON leads
REFERENCING OLD TABLE AS old_leads NEW TABLE AS new_leads
FOR EACH STATEMENT EXECUTE FUNCTION record_field_history()
"""

# The services may insert and read only. This runs as the owner of the table, whom forced row-level security lets change
# the rows of the workspace of the setting.
ERASE = """
CREATE FUNCTION erase_from_field_history(leads uuid[], changesets text[]) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = leadflood, pg_temp
AS $$
    WITH erased AS (
        DELETE FROM lead_field_history
        WHERE workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid AND lead_id = ANY (leads)
          AND changeset_id::text = ANY (changesets)
        RETURNING 1)
    SELECT count(*) FROM erased
$$
"""
SIGNATURE = "erase_from_field_history(uuid[], text[])"


def upgrade() -> None:
    """The previous release keeps working: what it changes is recorded as well, without who changed it."""
    for statement in (HISTORY, *SECURED, DIFFER, RECORD, TRIGGER, ERASE):
        op.execute(statement)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO leadflood_app")


def downgrade() -> None:
    """Forget the history: the leads keep their values, and the timelines say who changed them."""
    op.execute("DROP TRIGGER record_field_history ON leads")
    op.execute("DROP FUNCTION record_field_history()")
    op.execute("DROP FUNCTION lead_fields_differ(leads, leads)")
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.execute("DROP TABLE lead_field_history")
