"""SQL that writes rules, the leads that they know to be in their tiers, and runs."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

# Serialize what limits and names rules.
_LOCK_ALL = sql("SELECT pg_advisory_xact_lock(hashtextextended('rules ' || :workspace_id::uuid::text, 0))")

# Let one transaction at a time run the rules of a workspace.
_LOCK_RUNS = sql("SELECT pg_advisory_xact_lock(hashtextextended('rule runs ' || :workspace_id::uuid::text, 0))")

# Lock a rule that is not deleted.
_LOCK = sql("""
SELECT id, name, icp_id, trigger, tier, actions::text AS actions, include_present, enabled, version FROM rules
WHERE workspace_id = :workspace_id AND id = :rule_id AND deleted_at IS NULL FOR NO KEY UPDATE
""")

# Add a rule that is not enabled.
_INSERT = sql("""
INSERT INTO rules (workspace_id, id, name, name_key, icp_id, trigger, tier, actions, include_present)
VALUES (:workspace_id, :rule_id, :name, :name_key, :icp_id, :trigger, :tier, :actions::jsonb, :include_present)
""")

# Set what can be changed of a rule.
_UPDATE = sql("""
UPDATE rules SET name = :name, name_key = :name_key, icp_id = :icp_id, trigger = :trigger, tier = :tier,
    actions = :actions::jsonb, include_present = :include_present, enabled = :enabled, version = version + 1,
    updated_at = now()
WHERE workspace_id = :workspace_id AND id = :rule_id AND deleted_at IS NULL
""")

# Mark a rule as deleted.
_DELETE = sql("""
UPDATE rules SET deleted_at = now(), enabled = false, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :rule_id AND deleted_at IS NULL
""")

# Disable the rules of a profile.
_DISABLE = sql("""
UPDATE rules SET enabled = false, version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND icp_id = :icp_id AND enabled
""")

# A rule knows no leads.
_CLEAR = sql("DELETE FROM rule_members WHERE workspace_id = :workspace_id AND rule_id = :rule_id")

# The leads of the tier are known to be there.
_KNOW_PRESENT = sql("""
INSERT INTO rule_members (workspace_id, rule_id, lead_id)
SELECT s.workspace_id, r.id, s.lead_id
FROM rules r
JOIN icps i ON i.workspace_id = r.workspace_id AND i.id = r.icp_id
JOIN icp_scores s ON s.workspace_id = i.workspace_id AND s.version_id = i.live_version_id AND s.tier = r.tier
JOIN leads l ON l.workspace_id = s.workspace_id AND l.id = s.lead_id AND l.deleted_at IS NULL
WHERE r.workspace_id = :workspace_id AND r.id = :rule_id
ON CONFLICT DO NOTHING
""")

# Leads that came into the tier. Returns those that were not known to be there.
_ENTER = sql("""
INSERT INTO rule_members (workspace_id, rule_id, lead_id)
SELECT :workspace_id, :rule_id, unnest(:lead_ids::uuid[])
ON CONFLICT DO NOTHING RETURNING lead_id
""")

# Leads that are not in the tier. Returns those that were known to be there.
_LEAVE = sql("""
DELETE FROM rule_members WHERE workspace_id = :workspace_id AND rule_id = :rule_id AND lead_id = ANY (:lead_ids::uuid[])
RETURNING lead_id
""")

_MARK_DIFFERENCES = sql_file("leadflood.domains.rules.sql", "mark_differences")

# Remove marks that were processed.
_UNMARK = sql("DELETE FROM rule_marks WHERE workspace_id = :workspace_id AND id = ANY (:mark_ids::bigint[])")

# Set how many rules the changes of this transaction follow from.
_SET_DEPTH = sql("SELECT set_config('app.rule_depth', :depth, true)")

# Record runs.
_RECORD = sql("""
INSERT INTO rule_runs (workspace_id, id, rule_id, lead_id, outcome, results)
SELECT :workspace_id, id, :rule_id, lead_id, :outcome, :results::jsonb
FROM unnest(:ids::uuid[], :lead_ids::uuid[]) AS run (id, lead_id)
""")

# Delete some runs of long ago.
_PURGE = sql("""
DELETE FROM rule_runs WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM rule_runs
    WHERE workspace_id = :workspace_id AND ran_at < now() - make_interval(days => :days) LIMIT :limit)
""")


async def lock_all(tx: Transaction, workspace_id: UUID) -> None:
    """Serialize changes of the names and the number of rules."""
    await tx.execute(_LOCK_ALL, {"workspace_id": workspace_id})


async def lock_runs(tx: Transaction, workspace_id: UUID) -> None:
    """Let one transaction at a time run the rules of a workspace."""
    await tx.execute(_LOCK_RUNS, {"workspace_id": workspace_id})


async def lock_rule(tx: Transaction, workspace_id: UUID, rule_id: UUID) -> Row | None:
    """Lock a rule that is not deleted."""
    return await tx.first(_LOCK, {"workspace_id": workspace_id, "rule_id": rule_id})


async def insert_rule(tx: Transaction, workspace_id: UUID, values: Mapping[str, object]) -> UUID:
    """Add a rule that is not enabled. Returns its ID."""
    rule_id = new_id()
    await tx.execute(_INSERT, {**values, "workspace_id": workspace_id, "rule_id": rule_id})
    return rule_id


async def update_rule(tx: Transaction, workspace_id: UUID, rule_id: UUID, values: Mapping[str, object]) -> None:
    """Set what can be changed of a locked rule."""
    await tx.execute(_UPDATE, {**values, "workspace_id": workspace_id, "rule_id": rule_id})


async def delete_rule(tx: Transaction, workspace_id: UUID, rule_id: UUID) -> None:
    """Mark a locked rule as deleted. Its runs stay in the timelines of leads."""
    values = {"workspace_id": workspace_id, "rule_id": rule_id}
    await tx.execute(_DELETE, values)
    await tx.execute(_CLEAR, values)


async def disable_rules(tx: Transaction, workspace_id: UUID, icp_id: UUID) -> None:
    """Disable the rules of a profile."""
    await tx.execute(_DISABLE, {"workspace_id": workspace_id, "icp_id": icp_id})


async def begin(tx: Transaction, workspace_id: UUID, rule_id: UUID, *, with_present: bool) -> None:
    """A rule begins to count: it knows the leads in its tier, or none, so that it runs on them as well."""
    values = {"workspace_id": workspace_id, "rule_id": rule_id}
    await tx.execute(_CLEAR, values)
    if not with_present:
        await tx.execute(_KNOW_PRESENT, values)


async def enter(tx: Transaction, workspace_id: UUID, rule_id: UUID, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Leads that are in the tier. Returns those that were not known to be there."""
    values = {"workspace_id": workspace_id, "rule_id": rule_id, "lead_ids": list(lead_ids)}
    return [row.lead_id for row in await tx.all(_ENTER, values)] if lead_ids else []


async def leave(tx: Transaction, workspace_id: UUID, rule_id: UUID, lead_ids: Sequence[UUID]) -> list[UUID]:
    """Leads that are not in the tier. Returns those that were known to be there."""
    values = {"workspace_id": workspace_id, "rule_id": rule_id, "lead_ids": list(lead_ids)}
    return [row.lead_id for row in await tx.all(_LEAVE, values)] if lead_ids else []


async def mark_differences(tx: Transaction, workspace_id: UUID, icp_id: UUID) -> int:
    """Mark the leads whose tier is not the one that a rule of the profile knows. Returns their number."""
    return await tx.changed(_MARK_DIFFERENCES, {"workspace_id": workspace_id, "icp_id": icp_id})


async def unmark(tx: Transaction, workspace_id: UUID, mark_ids: Collection[int]) -> None:
    """Remove marks that were processed."""
    await tx.execute(_UNMARK, {"workspace_id": workspace_id, "mark_ids": list(mark_ids)})


async def set_depth(tx: Transaction, depth: int) -> None:
    """Set how many rules the next changes of this transaction follow from."""
    await tx.execute(_SET_DEPTH, {"depth": str(depth)})


async def record_runs(
    tx: Transaction, workspace_id: UUID, rule_id: UUID, lead_ids: Sequence[UUID], *, outcome: str, results: str
) -> None:
    """Record runs of a rule on leads, with the same outcome. `results`: JSON."""
    values = {"rule_id": rule_id, "lead_ids": list(lead_ids), "outcome": outcome, "results": results}
    await tx.execute(_RECORD, {"workspace_id": workspace_id, "ids": [new_id() for _ in lead_ids], **values})


async def purge_runs(tx: Transaction, workspace_id: UUID, *, days: int, limit: int) -> int:
    """Delete some runs of more than `days` ago. Returns their number."""
    return await tx.changed(_PURGE, {"workspace_id": workspace_id, "days": days, "limit": limit})
