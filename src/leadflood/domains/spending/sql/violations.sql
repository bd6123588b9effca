-- Windows and purchases that contradict the entries of their transfers.
WITH sums AS (
    SELECT workspace_id, window_id,
           coalesce(sum(amount_micros) FILTER (WHERE account = 'reserved'), 0) AS reserved,
           coalesce(sum(amount_micros) FILTER (WHERE account = 'in_doubt'), 0) AS in_doubt,
           coalesce(sum(amount_micros) FILTER (WHERE account IN ('spent', 'written_off')), 0) AS spent
    FROM transfer_entries GROUP BY workspace_id, window_id
), moved AS (
    SELECT t.workspace_id, t.purchase_id,
           coalesce(sum(amount_micros) FILTER (WHERE kind = 'reserve'), 0) AS reserved,
           coalesce(sum(amount_micros) FILTER (WHERE kind IN ('settle', 'overrun', 'write_off')), 0)
           - coalesce(sum(amount_micros) FILTER (WHERE kind = 'refund'), 0) AS charged
    FROM transfers t GROUP BY t.workspace_id, t.purchase_id
)
SELECT format('The budget window %s of workspace %s has %s reserved, %s in doubt and %s spent; its entries say %s, %s, %s.',
              w.id, w.workspace_id, w.reserved_micros, w.in_doubt_micros, w.spent_micros, coalesce(s.reserved, 0),
              coalesce(s.in_doubt, 0), coalesce(s.spent, 0)) AS violation
FROM budget_windows w LEFT JOIN sums s ON s.workspace_id = w.workspace_id AND s.window_id = w.id
WHERE (w.reserved_micros, w.in_doubt_micros, w.spent_micros)
      <> (coalesce(s.reserved, 0), coalesce(s.in_doubt, 0), coalesce(s.spent, 0))
UNION ALL
SELECT format('The purchase %s of workspace %s is %s and cost %s; its transfers say %s of %s.',
              p.id, p.workspace_id, p.state, p.charged_micros, coalesce(m.charged, 0), coalesce(m.reserved, 0))
FROM purchases p LEFT JOIN moved m ON m.workspace_id = p.workspace_id AND m.purchase_id = p.id
WHERE coalesce(m.reserved, 0) <> p.price_micros * p.most_units OR coalesce(m.charged, 0) <> p.charged_micros
UNION ALL
SELECT format('The entries of the transfer %s of workspace %s sum to %s.', transfer_id, workspace_id, sum(amount_micros))
FROM transfer_entries GROUP BY workspace_id, transfer_id HAVING sum(amount_micros) <> 0
LIMIT :listed
