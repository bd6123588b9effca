"""The database keeps the text that a search looks through, whatever writes a lead.

Revision ID: 0028
Revises: 0027
"""

from alembic import op
from sqlalchemy import text

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# What a search looks through: the keys of a lead's values, one a line. Words with umlauts stand there once more, as
# they are spelled without. Of custom fields the text counts, up to 200 characters of each and 2,000 of all.
SEARCH_TEXT = (
    r"""
CREATE OR REPLACE FUNCTION lead_search_text(first_name text, last_name text, email text, company text, job_title text,
                                            phone text, custom_fields jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
    whole text := concat_ws(E'\n', nullif(concat_ws(' ', first_name, last_name), ''), email, company, job_title, phone);
    keys  text;
BEGIN
    IF custom_fields <> '{}' THEN
        whole := concat_ws(E'\n', whole, (
            SELECT left(string_agg(left(value #>> '{}', 200), E'\n'), 2000)
            FROM jsonb_path_query(custom_fields, '$.*[*] ? (@.type() == "string")') AS value));
    END IF;
    IF octet_length(whole) = length(whole) THEN
        RETURN lower(whole COLLATE "C");
    END IF;
    SELECT string_agg(key, E'\n' ORDER BY place) INTO keys
    FROM (SELECT leadflood.search_key(line) AS key, place
          FROM unnest(string_to_array(whole, E'\n')) WITH ORDINALITY AS lines (line, place)) keyed
    WHERE key <> '';
    whole := normalize(whole, NFC);
    IF whole ~ '[äöüÄÖÜøØåÅ]' THEN
        SELECT concat_ws(E'\n', keys, string_agg(leadflood.search_key(
                   replace(replace(replace(replace(translate(word, 'äöüøØåÅ', 'ÄÖÜÖÖÂÂ'),
                                                   'Ä', 'ae'), 'Ö', 'oe'), 'Ü', 'ue'), 'Â', 'aa')), ' '))
        INTO keys
        FROM regexp_split_to_table(whole, '[[:space:]]+') AS word
        WHERE word ~ '[äöüÄÖÜøØåÅ]';
    END IF;
    RETURN coalesce(keys, '');
END
$$
""",
    """
CREATE OR REPLACE FUNCTION set_lead_search_text() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.search_text := leadflood.lead_search_text(NEW.first_name, NEW.last_name, NEW.email, NEW.company, NEW.job_title,
                                                  NEW.phone, NEW.custom_fields);
    RETURN NEW;
END
$$
""",
    """
CREATE OR REPLACE TRIGGER leads_search_text
    BEFORE INSERT OR UPDATE OF first_name, last_name, email, company, job_title, phone, custom_fields, search_text
    ON leads FOR EACH ROW EXECUTE FUNCTION set_lead_search_text()
""",
)

# The trigger sets the text of what is written from now on; this is for what is there. A batch is a transaction of its
# own, short enough that nobody waits long for its rows. What has its text already is left alone: safe to repeat.
BATCH = text("""
WITH next AS (
    SELECT workspace_id, id, first_name, last_name, email, company, job_title, phone, custom_fields, search_text
    FROM leads WHERE (workspace_id, id) > (CAST(:workspace_id AS uuid), CAST(:id AS uuid))
    ORDER BY workspace_id, id LIMIT 2000
), changed AS (
    UPDATE leads l SET search_text = ''
    FROM next
    WHERE l.workspace_id = next.workspace_id AND l.id = next.id
      AND next.search_text <> lead_search_text(next.first_name, next.last_name, next.email, next.company,
                                               next.job_title, next.phone, next.custom_fields)
)
SELECT workspace_id, id FROM next ORDER BY workspace_id DESC, id DESC LIMIT 1
""")
FIRST = "00000000-0000-0000-0000-000000000000"


def upgrade() -> None:
    """The previous release keeps working.

    The database overrules the text that it writes, and its search finds more in it.
    """
    for statement in SEARCH_TEXT:
        op.execute(statement)
    with op.get_context().autocommit_block():
        op.execute("SET ROLE leadflood_system")  # forced row-level security may bind the owner, too
        last = (FIRST, FIRST)
        while row := op.get_bind().execute(BATCH, {"workspace_id": last[0], "id": last[1]}).first():
            last = (str(row[0]), str(row[1]))
        op.execute("RESET ROLE")


def downgrade() -> None:
    """Code writes the text again."""
    op.execute("DROP TRIGGER leads_search_text ON leads")
    op.execute("DROP FUNCTION set_lead_search_text()")
    op.execute("DROP FUNCTION lead_search_text(text, text, text, text, text, text, jsonb)")
