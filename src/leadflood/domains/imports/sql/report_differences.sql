-- Report the values of combined rows that are not used, as the first row has others. Returns how many there are by field.
WITH differing AS (
    SELECT i.ctid AS place, d.field, d.given, h.row_no AS head
    FROM incoming_rows i
    JOIN incoming_rows h ON h.row_no = i.duplicate_of
    CROSS JOIN LATERAL (
        SELECT '/' || (:names::jsonb ->> f.name) AS field, f.given
        FROM (VALUES {values}) AS f (name, given, used)
        WHERE f.given <> f.used
        UNION ALL
        SELECT '/customFields/' || c.key, c.value #>> '{}'
        FROM jsonb_each(i.custom_fields) AS c
        WHERE (h.custom_fields -> c.key) IS DISTINCT FROM c.value
    ) d
), reported AS (
    UPDATE incoming_rows i SET faults = coalesce(i.faults, '[]') || n.faults
    FROM (SELECT place, jsonb_agg(jsonb_build_object(
                            'field', field, 'code', :code::text, 'value', left(given, 100),
                            'message', format('Row %s has another value, which is used.', head))) AS faults
          FROM differing GROUP BY place) n
    WHERE i.ctid = n.place
)
SELECT field, count(*) AS n FROM differing GROUP BY field
