"""Field history names the source whose value was accepted.

Revision ID: 0062
Revises: 0061
"""

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None

ADD = "ALTER TABLE lead_field_history ADD COLUMN found_by text"
# As in revision 0030, with `found_by`: the source of each accepted value, by field.
RECORD = """
CREATE OR REPLACE FUNCTION record_field_history() RETURNS trigger
LANGUAGE plpgsql SET search_path = leadflood, pg_temp
SET enable_hashjoin = on SET enable_mergejoin = off
AS $$
DECLARE
    change jsonb := coalesce(nullif(current_setting('app.field_change', true), ''), '{}')::jsonb;
BEGIN
    INSERT INTO lead_field_history (workspace_id, lead_id, field, old_value, new_value, actor_kind, actor_id, source,
                                    changeset_id, found_by)
    SELECT changed.workspace_id, changed.id, f.key, nullif(d.before -> f.key, 'null'), nullif(f.value, 'null'),
           coalesce(change ->> 'actor_kind', 'system'), (change ->> 'actor_id')::uuid,
           coalesce(change ->> 'source', 'system'), (change ->> 'changeset_id')::uuid,
           change -> 'found_by' ->> f.key
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
FORMER = """
CREATE OR REPLACE FUNCTION record_field_history() RETURNS trigger
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


def upgrade() -> None:
    """The previous release writes no source, and ignores the column."""
    op.execute(ADD)
    op.execute(RECORD)


def downgrade() -> None:
    """Forget the sources. Who accepted the values stays."""
    op.execute(FORMER)
    op.execute("ALTER TABLE lead_field_history DROP COLUMN found_by")
