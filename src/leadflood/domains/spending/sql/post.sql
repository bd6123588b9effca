-- Record new purchases, and transfers with their entries, and add these up in the windows. These are locked in the order
-- of their IDs, here if not before.
WITH locked AS MATERIALIZED (
    SELECT id FROM budget_windows WHERE workspace_id = :workspace_id AND id = ANY (:changed::uuid[])
    ORDER BY id FOR UPDATE
), purchase AS (
    INSERT INTO purchases (workspace_id, id, reference, source, state, price_micros, most_units, windows, subject_id,
                           batch_id, actor_id, day)
    SELECT :workspace_id, p.id, p.reference, p.source, 'reserved', p.price, p.most_units, p.windows::uuid[],
           p.subject_id, p.batch_id, p.actor_id,
           (now() AT TIME ZONE coalesce((SELECT time_zone FROM spending_settings WHERE workspace_id = :workspace_id),
                                        'UTC'))::date
    FROM unnest(:ids::uuid[], :references::uuid[], :sources::text[], :prices::bigint[], :most_units::integer[],
                :windows::text[], :subject_ids::uuid[], :batch_ids::uuid[], :actor_ids::uuid[])
         AS p (id, reference, source, price, most_units, windows, subject_id, batch_id, actor_id)
), transfer AS (
    INSERT INTO transfers (workspace_id, id, purchase_id, kind, amount_micros, sentence, actor_kind, actor_id)
    SELECT :workspace_id, t.*, :actor_kind, :actor_id
    FROM unnest(:transfer_ids::uuid[], :purchase_ids::uuid[], :kinds::text[], :amounts::bigint[], :sentences::text[])
         AS t
), entry AS (
    INSERT INTO transfer_entries (workspace_id, transfer_id, window_id, account, amount_micros)
    SELECT :workspace_id, e.*
    FROM unnest(:entry_transfers::uuid[], :entry_windows::uuid[], :accounts::text[], :entry_amounts::bigint[]) AS e
)
UPDATE budget_windows w
SET reserved_micros = w.reserved_micros + d.reserved, in_doubt_micros = w.in_doubt_micros + d.in_doubt,
    spent_micros = w.spent_micros + d.spent,
    overrun_micros = CASE WHEN :may_overrun::boolean THEN
        greatest(w.overrun_micros, w.reserved_micros + d.reserved + w.in_doubt_micros + d.in_doubt + w.spent_micros
                                   + d.spent - w.limit_micros) ELSE w.overrun_micros END
FROM unnest(:changed::uuid[], :reserved::bigint[], :in_doubt::bigint[], :spent::bigint[])
     AS d (id, reserved, in_doubt, spent)
JOIN locked ON locked.id = d.id
WHERE w.workspace_id = :workspace_id AND w.id = locked.id
