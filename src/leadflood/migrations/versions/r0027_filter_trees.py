"""Filters as trees: `search_leads` takes conditions, and views store their tree.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# Letters that NFKD leaves as they are, and what they are folded to, wherever the database's own `lower` does not.
# ruff: noqa: RUF001  letters that look like Latin ones are the point
LETTERS = (
    "\u0345ÆÐØÞĐĦŁŊŒŦƏƐƆƝðøđħıłŧΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩЂЄЅІЈЉЊЋЏАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯҐҒҖҘҚ"
    "ҠҢҮҰҺӘӨԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖς"
)
FOLDED = (
    "\u03b9ædoþdhlŋœtəɛɔɲdodhiltαβγδεζηθικλμνξοπρστυφχψωђєѕіјљњћџабвгдежзиклмнопрстуфхцчшщъыьэюяґғҗҙқ"
    "ҡңүұһәөաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆσ"
)
# Accents (not of Indic, Thai or kana letters: those make another letter) and invisible format characters.
MARKS = (
    r"\u00AD\u0300-\u0333\u0339-\u034E\u0350-\u036F\u0483-\u0487\u0591-\u05BD\u05BF\u05C1-\u05C2"
    r"\u05C4-\u05C5\u05C7\u0600-\u0605\u0610-\u061A\u061C\u064B-\u065F\u0670\u06D6-\u06DD\u06DF-\u06E4"
    r"\u06E7-\u06E8\u06EA-\u06ED\u070F\u0711\u0730-\u074A\u07EB-\u07F3\u07FD\u0816-\u0819\u081B-\u0823"
    r"\u0825-\u0827\u0829-\u082D\u0859-\u085B\u0890-\u0891\u0898-\u089F\u08CA-\u08FF\u0951-\u0954\u09FE"
    r"\u0F18-\u0F19\u0F35\u0F37\u0F39\u0F82-\u0F83\u0F86-\u0F87\u0FC6\u108D\u135D-\u135F\u17DD\u180E\u18A9"
    r"\u1939-\u193B\u1A17-\u1A18\u1A75-\u1A7C\u1A7F\u1AB0-\u1ABD\u1ABF-\u1ACE\u1B6B-\u1B73\u1CD0-\u1CD2"
    r"\u1CD5-\u1CE0\u1CED\u1CF4\u1CF8-\u1CF9\u1DC0-\u1DFF\u200B-\u200F\u202A-\u202E\u2060-\u2064"
    r"\u2066-\u206F\u20D0-\u20D1\u20D4-\u20D7\u20DB-\u20DC\u20E1\u20E7-\u20E9\u20EC-\u20F0\u2CEF-\u2CF1"
    r"\u2DE0-\u2DFF\u302A-\u302F\uA66F\uA674-\uA67D\uA69E-\uA69F\uA6F0-\uA6F1\uA8E0-\uA8F1\uA92B-\uA92D"
    r"\uAAB0\uAAB2-\uAAB4\uAAB7-\uAAB8\uAABE-\uAABF\uAAC1\uFB1E\uFE20-\uFE2F\uFEFF\uFFF9-\uFFFB"
)

# The same as `leadflood.kernel.text.search_key`, for what stands in a column. Most of it is ASCII.
SEARCH_KEY = (
    rf"""
CREATE OR REPLACE FUNCTION search_key_of_any(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT btrim(regexp_replace(normalize(regexp_replace(replace(replace(replace(replace(
        translate(lower(normalize(value, NFKD)), '{LETTERS}', '{FOLDED}'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        '[{MARKS}]+', '', 'g'), NFC), '[\u0001-\u0020\u007F-\u009F\u1680\u2028\u2029]+', ' ', 'g'))
$$
""",
    """
CREATE OR REPLACE FUNCTION search_key(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN octet_length(value) = length(value) THEN lower(value COLLATE "C")
                ELSE leadflood.search_key_of_any(value) END
$$
""",
)

# One comparison of the normal form of a filter (`leadflood.kernel.filter_sql`), with all values quoted.
COMPARISON = """
CREATE OR REPLACE FUNCTION lead_comparison(source text, node jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = leadflood, pg_temp
AS $$
DECLARE
    col   text := format('%I.%I', source, node ->> 'column');
    value text := node ->> 'value';
BEGIN
    CASE node ->> 'op'
        WHEN '=', '<', '<=', '>', '>=' THEN RETURN format('%s %s %L', col, node ->> 'op', value);
        WHEN 'distinct' THEN RETURN format('%s IS DISTINCT FROM %L', col, value);
        WHEN 'in' THEN RETURN format('%s = ANY (%L)', col, ARRAY(SELECT jsonb_array_elements_text(node -> 'value')));
        WHEN 'null' THEN RETURN format('%s IS NULL', col);
        WHEN 'not null' THEN RETURN format('%s IS NOT NULL', col);
        WHEN 'like' THEN RETURN format('%s LIKE %L', col, value);
        WHEN 'folded like' THEN RETURN format('search_key(%s) LIKE %L', col, value);
        WHEN 'folded not like' THEN RETURN format('(%s IS NULL OR search_key(%s) NOT LIKE %L)', col, col, value);
    END CASE;
END
$$
"""

# The names come from the fields that the program declares, are quoted, and are columns of leads, or of a relation that
# belongs to leads and that the role of `search_leads` was granted to read: nothing else can be named.
CONDITION = """
CREATE OR REPLACE FUNCTION lead_condition(node jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = leadflood, pg_temp
AS $$
BEGIN
    IF node ? 'all' THEN
        RETURN coalesce((SELECT '(' || string_agg(lead_condition(part), ' AND ') || ')'
                         FROM jsonb_array_elements(node -> 'all') AS part), 'true');
    ELSIF node ? 'any' THEN
        RETURN coalesce((SELECT '(' || string_agg(lead_condition(part), ' OR ') || ')'
                         FROM jsonb_array_elements(node -> 'any') AS part), 'false');
    ELSIF node ? 'relation' THEN
        RETURN format('%s EXISTS (SELECT FROM leadflood.%I related WHERE related.workspace_id = leads.workspace_id'
                      ' AND related.lead_id = leads.id AND %s)',
                      CASE WHEN (node -> 'negated')::boolean THEN 'NOT' ELSE '' END, node ->> 'relation',
                      (SELECT string_agg(lead_comparison('related', part), ' AND ')
                       FROM jsonb_array_elements(node -> 'where') AS part));
    ELSE
        RETURN lead_comparison('leads', node);
    END IF;
END
$$
"""

# LIKE is not leakproof, so under row-level security no index would serve it, nor what is compared folded: see the
# function of the same name in the third revision, which stays for processes of the release before this one. This one
# takes any conditions: `required` narrows the list by what indexes know, `matching` is compared lead by lead, and
# implies that the text searched meets one of `patterns`.
#
# PostgreSQL cannot tell how often a part of a text occurs. So the newest leads are asked first, in a millisecond or
# two. Where much is found, the list is walked in its order, just far enough; where little is, or more than can be
# walked in time, trigrams find it (OFFSET 0 keeps the planner from walking) and it is sorted. `walkable` is how many
# rows of each order can be walked in about 30 ms: only that of creation is the order of the table. Without `sort` any
# leads are returned, to be counted.
#
# Names, companies and titles are sorted by their keys. Leads without one come last in either direction: they are a part
# of their own, sorted by id. `after` has what the last lead was sorted by: its keys and its id, or its id alone.
SEARCH = """
CREATE OR REPLACE FUNCTION search_leads(required jsonb, matching jsonb, patterns text[], sort text, descending boolean,
                                        after text[], page_size integer)
RETURNS SETOF leads
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = leadflood, pg_temp SET enable_seqscan = off
AS $$
DECLARE
    workspace uuid := nullif(current_setting('app.workspace_id', true), '')::uuid;
    met       text := lead_condition(matching);
    whole     text := format(' FROM leads WHERE workspace_id = %L AND deleted_at IS NULL AND ', workspace)
                      || lead_condition(required);
    optional  text := CASE sort WHEN 'name' THEN 'coalesce(first_name || '' '' || last_name, first_name, last_name)'
                                WHEN 'company' THEN 'company' WHEN 'job_title' THEN 'job_title' END;
    sort_keys text[] := CASE WHEN sort IN ('created_at', 'updated_at', 'email_norm') THEN ARRAY[sort, 'id']
                             WHEN sort IN ('status', 'source') THEN ARRAY[sort, 'created_at', 'id']
                             WHEN optional IS NOT NULL THEN ARRAY[format('search_key(%s) COLLATE "C"', optional), 'id']
                             ELSE ARRAY['id'] END;
    parts     text[] := CASE WHEN optional IS NULL THEN ARRAY['']
                             ELSE ARRAY[' AND ' || optional || ' IS NOT NULL', ' AND ' || optional || ' IS NULL'] END;
    direction text := CASE WHEN descending THEN ' DESC' ELSE ' ASC' END;
    beyond    text := CASE WHEN descending THEN '<' ELSE '>' END;
    walkable  integer := CASE sort WHEN 'created_at' THEN 40000 WHEN 'updated_at' THEN 15000 ELSE 10000 END;
    asked     integer := 2000;
    seen      integer := asked;
    hits      integer := asked;
    living    text;
    ordered   text;
    further   text;
    far       text;
    found     integer;
BEGIN
    IF workspace IS NULL THEN
        RETURN;
    END IF;
    IF sort IS NOT NULL AND cardinality(sort_keys) = 1 THEN
        RAISE EXCEPTION 'cannot sort leads by %', sort;
    END IF;
    IF met <> 'true' THEN
        EXECUTE 'SELECT count(*), count(*) FILTER (WHERE ' || met || ') FROM (SELECT *' || whole
            || ' ORDER BY created_at DESC, id DESC LIMIT ' || asked || ') leads'
            INTO seen, hits;
    END IF;
    FOR part IN 1 .. cardinality(parts) LOOP
        EXIT WHEN page_size <= 0;
        CONTINUE WHEN part < cardinality(parts) AND cardinality(after) = 1;
        IF part = 2 THEN
            sort_keys := ARRAY['id'];
        END IF;
        living := whole || parts[part];
        ordered := CASE WHEN sort IS NULL THEN ''
                        ELSE ' ORDER BY ' || array_to_string(sort_keys, direction || ', ') || direction END;
        further := CASE WHEN cardinality(after) = cardinality(sort_keys)
                        THEN format(' AND (%s) %s (%s)', array_to_string(sort_keys, ', '), beyond,
                                    (SELECT string_agg(quote_literal(each), ', ' ORDER BY place)
                                     FROM unnest(after) WITH ORDINALITY AS keys (each, place)))
                        ELSE '' END;
        IF seen < asked OR sort IS NULL AND hits * 5 > seen THEN
            RETURN QUERY EXECUTE 'SELECT * FROM (SELECT *' || living || further || ' OFFSET 0) leads WHERE ' || met
                || ordered || ' LIMIT ' || page_size;
            GET DIAGNOSTICS found = ROW_COUNT;
            page_size := page_size - found;
            CONTINUE;
        END IF;
        IF sort IS NOT NULL AND page_size::bigint * seen <= hits::bigint * walkable THEN
            RETURN QUERY EXECUTE 'SELECT * FROM (SELECT *' || living || further || ordered || ' LIMIT ' || walkable
                || ') leads WHERE ' || met || ordered || ' LIMIT ' || page_size;
            GET DIAGNOSTICS found = ROW_COUNT;
            page_size := page_size - found;
            CONTINUE WHEN page_size <= 0;
            EXECUTE format('SELECT ARRAY[%s::text]', array_to_string(sort_keys, '::text, ')) || living || further
                || ordered || ' OFFSET ' || walkable - 1 || ' LIMIT 1' INTO after;
            CONTINUE WHEN after IS NULL;
            further := format(' AND (%s) %s (%s)', array_to_string(sort_keys, ', '), beyond,
                              (SELECT string_agg(quote_literal(each), ', ' ORDER BY place)
                               FROM unnest(after) WITH ORDINALITY AS keys (each, place)));
        END IF;
        far := 'SELECT id AS far_id' || (SELECT string_agg(format(', %s AS far_%s', key, place), '' ORDER BY place)
                                         FROM unnest(sort_keys) WITH ORDINALITY AS keys (key, place))
            || living || further || ' AND ' || met;
        IF hits * 50 <= seen AND cardinality(patterns) > 0 THEN
            far := (SELECT string_agg(far || format(' AND search_text LIKE %L', pattern), ' UNION ')
                    FROM unnest(patterns) AS pattern);
        END IF;
        RETURN QUERY EXECUTE 'SELECT leads.* FROM (SELECT * FROM (' || far || ' OFFSET 0) far'
            || CASE WHEN sort IS NULL THEN '' ELSE ' ORDER BY ' || (
                   SELECT string_agg(format('far_%s', place) || direction, ', ')
                   FROM generate_series(1, cardinality(sort_keys)) AS place) END
            || ' LIMIT ' || page_size
            || format(') page JOIN leads ON leads.workspace_id = %L AND leads.id = far_id', workspace) || ordered;
        GET DIAGNOSTICS found = ROW_COUNT;
        page_size := page_size - found;
        after := NULL;
    END LOOP;
END
$$
"""
SEARCH_SIGNATURE = "search_leads(jsonb, jsonb, text[], text, boolean, text[], integer)"

# A view stores its tree beside the filter of the release before this one, which knows only some filters. What that
# release writes is brought into a tree; what this one writes shows no lead there, rather than other leads.
VIEW_TREES = (
    "ALTER TABLE saved_views ADD COLUMN IF NOT EXISTS tree jsonb",
    """
CREATE OR REPLACE FUNCTION filter_tree(filter jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$
    SELECT jsonb_build_object('all', coalesce(jsonb_agg(condition ORDER BY place), '[]')) FROM (
        SELECT 1, jsonb_build_object('field', 'search', 'operator', 'matches', 'value', filter -> 'q')
        WHERE btrim(filter ->> 'q') <> ''
        UNION ALL
        SELECT place, jsonb_build_object('field', name, 'operator', 'isAnyOf', 'value', filter -> name)
        FROM (VALUES (2, 'status'), (3, 'source'), (4, 'country')) AS lists (place, name)
        WHERE jsonb_array_length(filter -> name) > 0
        UNION ALL
        SELECT 5, jsonb_build_object('field', 'owner', 'operator', 'is', 'value', filter -> 'ownerId')
        WHERE filter ->> 'ownerId' IS NOT NULL
        UNION ALL
        SELECT 6, jsonb_build_object('field', 'owner', 'operator', 'isEmpty') WHERE (filter ->> 'unowned')::boolean
        UNION ALL
        SELECT 7, jsonb_build_object('field', 'phone', 'operator',
                                     CASE WHEN (filter ->> 'hasPhone')::boolean THEN 'isNotEmpty' ELSE 'isEmpty' END)
        WHERE filter ->> 'hasPhone' IS NOT NULL
        UNION ALL
        SELECT place, jsonb_build_object('field', field, 'operator', operator, 'value', filter -> name)
        FROM (VALUES (8, 'createdFrom', 'createdAt', 'onOrAfter'), (9, 'createdUntil', 'createdAt', 'before'),
                     (10, 'updatedFrom', 'updatedAt', 'onOrAfter'), (11, 'updatedUntil', 'updatedAt', 'before'))
             AS times (place, name, field, operator)
        WHERE filter ->> name IS NOT NULL
    ) AS conditions (place, condition)
$$
""",
    """
CREATE OR REPLACE FUNCTION set_view_tree() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.tree IS NULL OR NEW.filter <> '{"createdUntil": "1970-01-01T00:00:00+00:00"}' THEN
        NEW.tree := leadflood.filter_tree(NEW.filter);
    END IF;
    RETURN NEW;
END
$$
""",
    """
CREATE OR REPLACE TRIGGER saved_views_tree BEFORE INSERT OR UPDATE ON saved_views
    FOR EACH ROW EXECUTE FUNCTION set_view_tree()
""",
    "SET LOCAL ROLE leadflood_system",  # forced row-level security may bind the owner, too
    "UPDATE saved_views SET tree = NULL",
    "RESET ROLE",
    "ALTER TABLE saved_views ALTER COLUMN tree SET NOT NULL",
)


def _own(signature: str, owner: str) -> None:
    for statement in (
        f"GRANT CREATE ON SCHEMA leadflood TO {owner}",
        f"ALTER FUNCTION {signature} OWNER TO {owner}",
        f"REVOKE CREATE ON SCHEMA leadflood FROM {owner}",
    ):
        op.execute(statement)


def upgrade() -> None:
    """The previous release keeps working with its own function, and with views in the form that it knows."""
    for statement in (*SEARCH_KEY, COMPARISON, CONDITION, SEARCH):
        op.execute(statement)
    op.execute(f"REVOKE ALL ON FUNCTION {SEARCH_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SEARCH_SIGNATURE} TO leadflood_app")
    _own(SEARCH_SIGNATURE, "leadflood_search")
    for statement in VIEW_TREES:
        op.execute(statement)


def downgrade() -> None:
    """Views made since show no lead."""
    for statement in (
        "DROP TRIGGER saved_views_tree ON saved_views",
        "DROP FUNCTION set_view_tree()",
        "DROP FUNCTION filter_tree(jsonb)",
        "ALTER TABLE saved_views DROP COLUMN tree",
        f"DROP FUNCTION {SEARCH_SIGNATURE}",
        "DROP FUNCTION lead_condition(jsonb)",
        "DROP FUNCTION lead_comparison(text, jsonb)",
        "DROP FUNCTION search_key(text)",
        "DROP FUNCTION search_key_of_any(text)",
    ):
        op.execute(statement)
