-- Transfers, newest first, with their entries.
SELECT t.id, t.kind, t.purchase_id, p.source, t.amount_micros, t.sentence, t.at, t.actor_id,
       coalesce(s.currency, 'EUR') AS currency, e.budget_ids, e.accounts, e.amounts
FROM transfers t
JOIN purchases p ON p.workspace_id = t.workspace_id AND p.id = t.purchase_id
LEFT JOIN spending_settings s ON s.workspace_id = t.workspace_id
CROSS JOIN LATERAL (
    SELECT array_agg(w.budget_id ORDER BY w.id, i.account) AS budget_ids,
           array_agg(i.account ORDER BY w.id, i.account) AS accounts,
           array_agg(i.amount_micros ORDER BY w.id, i.account) AS amounts
    FROM transfer_entries i JOIN budget_windows w ON w.workspace_id = i.workspace_id AND w.id = i.window_id
    WHERE i.workspace_id = t.workspace_id AND i.transfer_id = t.id
) e
WHERE t.workspace_id = :workspace_id AND (:purchase_id::uuid IS NULL OR t.purchase_id = :purchase_id)
  AND (:after::uuid IS NULL OR t.id < :after)
ORDER BY t.id DESC LIMIT :limit
