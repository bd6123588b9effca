-- Remove what imports show of a person. Rows that wait for a commit are skipped by it, and counted so.
UPDATE {table} t
SET filename = regexp_replace(t.filename, :pattern, '[erased]', 'gi'),
    error = regexp_replace(t.error, :pattern, '[erased]', 'gi'),
    sample = '[]',
    counts = t.counts || coalesce((
        SELECT jsonb_object_agg(w.action, (t.counts ->> w.action)::integer - w.n)
               || jsonb_build_object('skip', coalesce((t.counts ->> 'skip')::integer, 0) + sum(w.n))
        FROM (SELECT r.action, count(*)::integer AS n
              FROM unnest(:import_ids::uuid[], :row_numbers::integer[]) AS p (import_id, row_no)
              JOIN import_rows r ON r.workspace_id = :workspace_id AND r.import_id = p.import_id AND r.row_no = p.row_no
              WHERE r.import_id = t.id AND r.row_no > t.committed_through AND r.action IN ('create', 'update')
                AND t.status IN ('previewed', 'paused', 'failed')
              GROUP BY r.action) w
        HAVING count(*) > 0), '{}')
WHERE t.workspace_id = :workspace_id AND ({found})
