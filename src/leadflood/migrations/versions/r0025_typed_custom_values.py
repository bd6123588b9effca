"""Project the custom fields of the leads that there are, and define the fields that their keys stand for.

Revision ID: 0025
Revises: 0024
"""

from alembic import op
from sqlalchemy import text

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# The leads are locked: a change meanwhile would be projected by its trigger before an older value comes from here.
BATCH = text("""
WITH batch AS MATERIALIZED (
    SELECT workspace_id, id, custom_fields FROM leads
    WHERE (workspace_id, id) > (CAST(:workspace_id AS uuid), CAST(:lead_id AS uuid)) AND custom_fields <> '{}'
    ORDER BY workspace_id, id LIMIT 5000 FOR NO KEY UPDATE
), texts AS (
    INSERT INTO lead_field_texts (workspace_id, key, value, lead_id)
    SELECT b.workspace_id, v.key, v.value, b.id FROM batch b CROSS JOIN LATERAL custom_texts(b.custom_fields) v
    ON CONFLICT DO NOTHING
), numbers AS (
    INSERT INTO lead_field_numbers (workspace_id, key, value, lead_id)
    SELECT b.workspace_id, v.key, v.value, b.id FROM batch b CROSS JOIN LATERAL custom_numbers(b.custom_fields) v
    ON CONFLICT DO NOTHING
)
SELECT workspace_id, id AS lead_id FROM batch ORDER BY workspace_id DESC, id DESC LIMIT 1
""")

# A key whose values are all numbers, or all true or false, is of that type; any other is text. At most 200 a workspace.
DEFINE = """
INSERT INTO field_definitions (workspace_id, id, subject, key, label, type, position)
SELECT workspace_id, gen_random_uuid(), 'lead', key,
       upper(left(words, 1)) || substr(words, 2),
       CASE kinds WHEN '{number}' THEN 'number' WHEN '{boolean}' THEN 'boolean' ELSE 'text' END, place - 1
FROM (
    SELECT l.workspace_id, f.key, replace(f.key, '_', ' ') AS words,
           array_agg(DISTINCT jsonb_typeof(f.value)) AS kinds,
           row_number() OVER (PARTITION BY l.workspace_id ORDER BY f.key) AS place
    FROM leads l CROSS JOIN LATERAL jsonb_each(l.custom_fields) f
    WHERE l.custom_fields <> '{}'
    GROUP BY l.workspace_id, f.key
) found
WHERE place <= 200
ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    """Batches of transactions of their own, safe to repeat after a kill."""
    with op.get_context().autocommit_block():
        # Forced row-level security may bind the owner, too, who would then silently read nothing.
        op.execute("SET ROLE leadflood_system")
        nobody = "00000000-0000-0000-0000-000000000000"
        after = {"workspace_id": nobody, "lead_id": nobody}
        while (last := op.get_bind().execute(BATCH, after).mappings().first()) is not None:
            after = {"workspace_id": str(last["workspace_id"]), "lead_id": str(last["lead_id"])}
        op.execute(DEFINE)
        op.execute("RESET ROLE")


def downgrade() -> None:
    """Nothing: the revision before drops it all."""
