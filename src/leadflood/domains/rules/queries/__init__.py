"""SQL that reads rules and their runs."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from leadflood.domains.icps import queries as icps
from leadflood.domains.rules.contracts import (
    ActionResult,
    ActionResultView,
    ActionView,
    DryRun,
    DryRunLead,
    RuleView,
    RunView,
    StoredAction,
)
from leadflood.domains.rules.errors import RuleNotFound
from leadflood.domains.rules.models import EXAMPLES, ActionType, RunOutcome, Trigger
from leadflood.domains.rules.queries import targets
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import EMPTY, assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

# Rules that are not deleted, by name, with their runs.
_RULES = sql("""
SELECT r.id, r.name, r.icp_id, i.name AS profile, i.deleted_at IS NOT NULL AS profile_deleted,
       i.live_version_id, r.trigger, r.tier, r.actions::text AS actions, r.include_present, r.enabled, r.version,
       r.created_at, r.updated_at, ran.runs, ran.failures, ran.last_run_at
FROM rules r
JOIN icps i ON i.workspace_id = r.workspace_id AND i.id = r.icp_id
CROSS JOIN LATERAL (
    SELECT count(*) AS runs, count(*) FILTER (WHERE outcome <> 'done') AS failures, max(ran_at) AS last_run_at
    FROM rule_runs n WHERE n.workspace_id = r.workspace_id AND n.rule_id = r.id
) ran
WHERE r.workspace_id = :workspace_id AND r.deleted_at IS NULL {condition} ORDER BY r.name_key, r.id
""")
_ALL = assemble(_RULES, condition=EMPTY)
_ONE = assemble(_RULES, condition=sql("AND r.id = :rule_id"))

# The number of rules.
_COUNT = sql("SELECT count(*) FROM rules WHERE workspace_id = :workspace_id AND deleted_at IS NULL")

# The rule with a name.
_NAMED = sql("""
SELECT id FROM rules WHERE workspace_id = :workspace_id AND name_key = :name_key AND deleted_at IS NULL
""")

# Enabled rules, in the order in which they run.
_ENABLED = sql("""
SELECT r.id, r.name, r.icp_id, i.name AS profile, r.trigger, r.tier, r.actions::text AS actions, r.include_present
FROM rules r JOIN icps i ON i.workspace_id = r.workspace_id AND i.id = r.icp_id
WHERE r.workspace_id = :workspace_id AND r.enabled ORDER BY r.created_at, r.id
""")

# The names of rules, deleted ones included.
NAMES = sql("SELECT id, name FROM rules WHERE workspace_id = :workspace_id AND id = ANY (:ids)")

# The first change of each lead among the next ones.
_MARKS = sql("""
SELECT id, icp_id, lead_id, tier, is_check, depth FROM (
    SELECT DISTINCT ON (lead_id) id, icp_id, lead_id, tier, is_check, depth FROM (
        SELECT * FROM rule_marks WHERE workspace_id = :workspace_id ORDER BY id LIMIT :read
    ) next ORDER BY lead_id, id
) first ORDER BY id LIMIT :limit
""")

# Tiers of leads by the live version of a profile.
_TIERS = sql("""
SELECT s.lead_id, s.tier FROM icps i
JOIN icp_scores s ON s.workspace_id = i.workspace_id AND s.version_id = i.live_version_id
WHERE i.workspace_id = :workspace_id AND i.id = :icp_id AND s.lead_id = ANY (:lead_ids::uuid[])
""")

# Whether a profile had a live version before its present one.
_WAS_LIVE = sql("""
SELECT EXISTS (
    SELECT FROM icps i JOIN icp_versions v ON v.workspace_id = i.workspace_id AND v.icp_id = i.id
    WHERE i.workspace_id = :workspace_id AND i.id = :icp_id AND v.published_at IS NOT NULL
      AND v.id IS DISTINCT FROM i.live_version_id)
""")

# The next runs of a rule, the latest first.
_RUNS = sql("""
SELECT n.id, n.lead_id, l.email, n.outcome, n.results::text AS results, n.ran_at
FROM rule_runs n JOIN leads l ON l.workspace_id = n.workspace_id AND l.id = n.lead_id
WHERE n.workspace_id = :workspace_id AND n.rule_id = :rule_id AND (:after_id::uuid IS NULL OR n.id < :after_id)
ORDER BY n.id DESC LIMIT :limit
""")

# The leads in a tier, and whether actions would change them.
_PRESENT = sql("""
SELECT l.id, l.email,
       (:owner_id::uuid IS NOT NULL AND l.owner_id IS DISTINCT FROM :owner_id::uuid)
       OR (:stage::text IS NOT NULL AND l.stage IS DISTINCT FROM :stage::text)
       OR EXISTS (SELECT FROM unnest(:list_ids::uuid[]) AS wanted (id)
                  WHERE NOT EXISTS (SELECT FROM list_leads m WHERE m.workspace_id = l.workspace_id
                                    AND m.list_id = wanted.id AND m.lead_id = l.id))
       OR EXISTS (SELECT FROM unnest(:tag_ids::uuid[]) AS wanted (id)
                  WHERE NOT EXISTS (SELECT FROM lead_tags g WHERE g.workspace_id = l.workspace_id
                                    AND g.tag_id = wanted.id AND g.lead_id = l.id)) AS changes
FROM icps i
JOIN icp_scores s ON s.workspace_id = i.workspace_id AND s.version_id = i.live_version_id AND s.tier = :tier
JOIN leads l ON l.workspace_id = s.workspace_id AND l.id = s.lead_id AND l.deleted_at IS NULL
WHERE i.workspace_id = :workspace_id AND i.id = :icp_id AND i.deleted_at IS NULL
""")
_TOUCHED = assemble(
    sql("SELECT count(*) AS leads, count(*) FILTER (WHERE changes) AS changes FROM ({present}) present"),
    present=_PRESENT,
)
_EXAMPLES = assemble(
    sql("SELECT id, email, changes FROM ({present}) present ORDER BY changes DESC, id LIMIT :limit"), present=_PRESENT
)

# Workspaces with changes of tiers.
_MARKED = sql("SELECT DISTINCT workspace_id FROM rule_marks")

# Profiles with enabled rules.
_WATCHED = sql("SELECT DISTINCT workspace_id, icp_id FROM rules WHERE enabled")

# Workspaces with runs.
_RAN = sql("SELECT DISTINCT workspace_id FROM rules")

_ACTIONS: Final = TypeAdapter(list[StoredAction])
_RESULTS: Final = TypeAdapter(list[ActionResult])


async def get_rule(tx: Transaction, actor: Actor, *, rule_id: UUID) -> RuleView:
    """Raises: RuleNotFound."""
    row = await tx.first(_ONE, {"workspace_id": actor.workspace_id, "rule_id": rule_id})
    if row is None:
        raise RuleNotFound
    return (await _views(tx, actor, [row]))[0]


async def list_rules(tx: Transaction, actor: Actor) -> list[RuleView]:
    """All rules, by name."""
    return await _views(tx, actor, await tx.all(_ALL, {"workspace_id": actor.workspace_id}))


async def count_rules(tx: Transaction, actor: Actor) -> int:
    """The number of rules."""
    found: int = await tx.scalar(_COUNT, {"workspace_id": actor.workspace_id})
    return found


async def rule_named(tx: Transaction, actor: Actor, *, name_key: str) -> UUID | None:
    """The rule with this name."""
    found: UUID | None = await tx.scalar(_NAMED, {"workspace_id": actor.workspace_id, "name_key": name_key})
    return found


async def enabled_rules(tx: Transaction, workspace_id: UUID) -> Sequence[Row]:
    """The enabled rules of a workspace, in the order in which they run."""
    return await tx.all(_ENABLED, {"workspace_id": workspace_id})


async def next_marks(tx: Transaction, workspace_id: UUID, *, limit: int) -> Sequence[Row]:
    """The first change of each lead, the oldest first, up to `limit`."""
    return await tx.all(_MARKS, {"workspace_id": workspace_id, "read": limit * 5, "limit": limit})


async def tiers_of(tx: Transaction, workspace_id: UUID, icp_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The tiers of leads by the live version of a profile. Those without one are left out."""
    values = {"workspace_id": workspace_id, "icp_id": icp_id, "lead_ids": list(lead_ids)}
    return {row.lead_id: row.tier for row in await tx.all(_TIERS, values) if row.tier is not None}


async def was_live(tx: Transaction, workspace_id: UUID, icp_id: UUID) -> bool:
    """Whether a profile had a live version before its present one."""
    found: bool = await tx.scalar(_WAS_LIVE, {"workspace_id": workspace_id, "icp_id": icp_id})
    return found


async def list_runs(
    tx: Transaction, actor: Actor, *, rule_id: UUID, after: Position | None = None, limit: int
) -> Page[RunView]:
    """The runs of a rule, the latest first. Raises: RuleNotFound."""
    await get_rule(tx, actor, rule_id=rule_id)
    values = {
        "workspace_id": actor.workspace_id,
        "rule_id": rule_id,
        "after_id": after.id if after else None,
        "limit": limit + 1,
    }
    return cut(await tx.all(_RUNS, values), limit, lambda row: Position.at(row.ran_at, row.id)).map(_run)


async def dry_run(tx: Transaction, actor: Actor, *, rule_id: UUID) -> DryRun:
    """The effect of a rule on the leads in its tier. Raises: RuleNotFound."""
    row = await tx.first(_ONE, {"workspace_id": actor.workspace_id, "rule_id": rule_id})
    if row is None:
        raise RuleNotFound
    actions = stored_actions(row.actions)
    known = await targets.load(tx, actor, actions)
    possible = {type_: _possible(actions, known, type_) for type_ in ActionType}
    values = {
        "workspace_id": actor.workspace_id,
        "icp_id": row.icp_id,
        "tier": row.tier,
        "owner_id": next(map(UUID, possible[ActionType.ASSIGN_OWNER]), None),
        "stage": next(iter(possible[ActionType.SET_STAGE]), None),
        "list_ids": [UUID(each) for each in possible[ActionType.ADD_TO_LIST]],
        "tag_ids": [UUID(each) for each in possible[ActionType.ADD_TAG]],
    }
    (counted,) = await tx.all(_TOUCHED, values)
    examples = await tx.all(_EXAMPLES, {**values, "limit": EXAMPLES})
    return DryRun(
        leads=counted.leads,
        changes=counted.changes,
        examples=[DryRunLead(lead_id=each.id, email=each.email, changes=each.changes) for each in examples],
    )


async def marked_workspaces(tx: Transaction) -> list[UUID]:
    """Workspaces with changes of tiers. Needs a transaction across workspaces."""
    return [row.workspace_id for row in await tx.all(_MARKED)]


async def watched_profiles(tx: Transaction) -> list[tuple[UUID, UUID]]:
    """Workspaces and profiles with enabled rules. Needs a transaction across workspaces."""
    return [(row.workspace_id, row.icp_id) for row in await tx.all(_WATCHED)]


async def workspaces_with_rules(tx: Transaction) -> list[UUID]:
    """Workspaces with rules. Needs a transaction across workspaces."""
    return [row.workspace_id for row in await tx.all(_RAN)]


def stored_actions(actions: str) -> list[StoredAction]:
    """The actions of a row, which are JSON."""
    return _ACTIONS.validate_json(actions)


def _possible(actions: Sequence[StoredAction], known: targets.Targets, type_: ActionType) -> list[str]:
    """The targets of actions of a type that can be done."""
    return [each.target for each in actions if each.type is type_ and known.problem(each) is None]


async def _views(tx: Transaction, actor: Actor, rows: Sequence[Row]) -> list[RuleView]:
    actions = {row.id: stored_actions(row.actions) for row in rows}
    known = await targets.load(tx, actor, [each for listed in actions.values() for each in listed])
    return [await _view(tx, actor, row, actions[row.id], known) for row in rows]


async def _view(
    tx: Transaction, actor: Actor, row: Row, actions: Sequence[StoredAction], known: targets.Targets
) -> RuleView:
    return RuleView(
        id=row.id,
        name=row.name,
        icp_id=row.icp_id,
        profile=row.profile,
        trigger=Trigger(row.trigger),
        tier=row.tier,
        actions=[
            ActionView(type=each.type, target=each.target, name=known.current(each), problem=known.problem(each))
            for each in actions
        ],
        include_present=row.include_present,
        enabled=row.enabled,
        problem=await _problem(tx, actor, row),
        runs=row.runs,
        failures=row.failures,
        last_run_at=row.last_run_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def _problem(tx: Transaction, actor: Actor, row: Row) -> str | None:
    if row.profile_deleted:
        return "The profile was deleted. Choose another profile, or delete the rule."
    if row.live_version_id is None:
        return "The profile is not published. The rule runs once a version is live."
    tiers = await live_tiers(tx, actor, icp_id=row.icp_id)
    if row.tier not in tiers:
        return f"The live version of the profile has no tier {row.tier}. Choose one of: {', '.join(tiers)}."
    return None


async def live_tiers(tx: Transaction, actor: Actor, *, icp_id: UUID) -> list[str]:
    """The tiers of the live version of a profile. Raises: leadflood.domains.icps.errors.IcpNotFound."""
    icp = await icps.get_icp(tx, actor, icp_id=icp_id)
    if icp.live is None:
        return []
    version = await icps.get_version(tx, actor, icp_id=icp_id, number=icp.live.number)
    return [each.name for each in version.body.tiers]


def _run(row: Row) -> RunView:
    results = [
        ActionResultView(type=each.type, name=each.name, error=each.error)
        for each in _RESULTS.validate_json(row.results)
    ]
    return RunView(
        id=row.id,
        lead_id=row.lead_id,
        email=row.email,
        outcome=RunOutcome(row.outcome),
        results=results,
        ran_at=row.ran_at,
    )
