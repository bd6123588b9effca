-- How many leads there are by status. Each count walks an index and stops: without the order, the table may be read.
SELECT (SELECT count(*) FROM (
            SELECT FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL
            ORDER BY created_at, id LIMIT :most) l) AS leads,
       (SELECT count(*) FROM (
            SELECT FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND status = 'new'
            ORDER BY created_at, id LIMIT :most) l) AS new,
       (SELECT count(*) FROM (
            SELECT FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND status = 'processing'
            ORDER BY created_at, id LIMIT :most) l) AS processing,
       (SELECT count(*) FROM (
            SELECT FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND status = 'failed'
            ORDER BY created_at, id LIMIT :most) l) AS failed,
       (SELECT created_at FROM leads
        WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND status = 'new'
        ORDER BY created_at, id LIMIT 1) AS oldest
