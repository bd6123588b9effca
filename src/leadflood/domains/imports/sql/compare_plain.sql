-- Part of compare.sql: the columns of a lead that a row changes, as [before, after], and those that it leaves as they are.
SELECT coalesce(jsonb_object_agg(name, jsonb_build_array(own, given)) FILTER (
           WHERE given <> coalesce(own, '') AND (policy = 'overwrite' OR policy = 'fill_empty' AND own IS NULL)
       ), '{}') AS changes,
       coalesce(array_agg(name) FILTER (WHERE given <> own AND policy <> 'overwrite'), '{}') AS kept
FROM (VALUES {fields}
) AS field (name, own, given, policy)
HAVING l.id IS NOT NULL
