-- What purchases of a period cost, by group.
SELECT {key} AS key, count(*) AS purchases, count(*) FILTER (WHERE p.hit) AS hits,
       coalesce(sum(p.charged_micros), 0)::bigint AS spent,
       coalesce(sum(p.price_micros * p.most_units) FILTER (WHERE p.ended_at IS NULL), 0)::bigint AS held
FROM purchases p
WHERE p.workspace_id = :workspace_id AND p.day BETWEEN :since AND :until AND p.state <> 'released'
GROUP BY 1 ORDER BY {sort} LIMIT :limit
