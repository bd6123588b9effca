"""Running rules on leads whose tier has changed.

Triggers write each change of a tier by a live version (`rule_marks`) in the transaction of the score. A job takes the
changes of a workspace in their order, some leads at a time: one transaction locks the leads, moves them in or out of
the tiers that rules know (`rule_members`), runs the rules for those that were moved, and removes the marks. So a
repeated job finds nothing left to do, and one that was killed has done nothing.

A rule runs for what other rules changed, too, `MAX_DEPTH` deep: each mark says how many rules it follows from.
"""

import json
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from leadflood.domains.identity.service import audit
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.service import bulk
from leadflood.domains.rules import queries, store
from leadflood.domains.rules.contracts import ActionResult, StoredAction
from leadflood.domains.rules.events import RULE, RULE_RAN_KIND, RuleAuditAction
from leadflood.domains.rules.models import MAX_DEPTH, ActionType, RunOutcome, Trigger
from leadflood.domains.rules.queries import targets
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError
from leadflood.kernel.events import NO_TRACE

BATCH: Final = 200
"""Leads on which rules run in one transaction, which locks them."""


async def run_marked(tx: Transaction, actor: Actor) -> int:
    """Run the rules of the workspace on the next changes of tiers. Returns how many there were."""
    await store.lock_runs(tx, actor.workspace_id)
    found = await queries.next_marks(tx, actor.workspace_id, limit=BATCH)
    marks = [mark for mark in found if mark.depth == found[0].depth]
    active = await leads.lock_lead_ids(tx, actor, lead_ids={mark.lead_id for mark in marks})
    rules = await queries.enabled_rules(tx, actor.workspace_id)
    for icp_id in sorted({mark.icp_id for mark in marks}):
        of_profile = [mark for mark in marks if mark.icp_id == icp_id and mark.lead_id in active]
        tiers = await _tiers(tx, actor, icp_id, of_profile)
        for rule in rules:
            if rule.icp_id == icp_id and (moved := await _moved(tx, actor, rule, tiers)):
                await _run(tx, actor, rule, moved, depth=marks[0].depth)
    await store.unmark(tx, actor.workspace_id, [mark.id for mark in marks])
    return len(marks)


async def compare_tiers(tx: Transaction, actor: Actor, *, icp_id: UUID) -> int:
    """Mark the leads whose tier is not the one that the rules of a profile know. Returns their number."""
    await store.lock_runs(tx, actor.workspace_id)
    return await store.mark_differences(tx, actor.workspace_id, icp_id)


async def _tiers(tx: Transaction, actor: Actor, icp_id: UUID, marks: Sequence[Row]) -> dict[UUID, str | None]:
    """The tier that each mark is about: the one that it names, or that the lead has now."""
    checked = [mark.lead_id for mark in marks if mark.is_check]
    now = await queries.tiers_of(tx, actor.workspace_id, icp_id, checked) if checked else {}
    return {mark.lead_id: now.get(mark.lead_id) if mark.is_check else mark.tier for mark in marks}


async def _moved(tx: Transaction, actor: Actor, rule: Row, tiers: dict[UUID, str | None]) -> list[UUID]:
    """Move leads in or out of the tier that the rule knows. Returns those that it runs on."""
    inside = [lead_id for lead_id, tier in tiers.items() if tier == rule.tier]
    outside = [lead_id for lead_id, tier in tiers.items() if tier != rule.tier]
    entered = await store.enter(tx, actor.workspace_id, rule.id, inside)
    left = await store.leave(tx, actor.workspace_id, rule.id, outside)
    return sorted(entered if rule.trigger == Trigger.ENTERS else left)


async def _run(tx: Transaction, actor: Actor, rule: Row, lead_ids: Sequence[UUID], *, depth: int) -> None:
    actions = queries.stored_actions(rule.actions)
    by = Actor.automation(actor.workspace_id, rule.id)
    results: list[ActionResult] = []
    if depth < MAX_DEPTH:
        known = await targets.load(tx, actor, actions)
        await store.set_depth(tx, depth + 1)
        results = [await _act(tx, by, action, known, lead_ids) for action in actions]
        await store.set_depth(tx, 0)
    failed = any(each.error for each in results)
    outcome = RunOutcome.STOPPED if depth >= MAX_DEPTH else RunOutcome.FAILED if failed else RunOutcome.DONE
    written = [each.model_dump(mode="json", by_alias=True) for each in results]
    await store.record_runs(tx, actor.workspace_id, rule.id, lead_ids, outcome=outcome, results=json.dumps(written))
    entry = {
        "rule": rule.name,
        "ruleId": str(rule.id),
        "profile": rule.profile,
        "tier": rule.tier,
        "trigger": rule.trigger,
        "outcome": outcome.value,
        "actions": written,
    }
    await leads.add_to_timelines(tx, by, lead_ids=lead_ids, kind=RULE_RAN_KIND, data=entry)
    data = {"count": len(lead_ids), "name": rule.name}
    await audit.record(tx, by, action=RuleAuditAction.RAN, subject_type=RULE, subject_id=rule.id, data=data)


async def _act(
    tx: Transaction, by: Actor, action: StoredAction, known: targets.Targets, lead_ids: Sequence[UUID]
) -> ActionResult:
    """Do an action for locked leads, as a bulk change that can be undone. A target that is gone fails the action."""
    name, problem = known.current(action), known.problem(action)
    if problem is None:
        try:
            async with tx.savepoint():
                await bulk.change_leads(tx, by, command=_command(action, name, lead_ids), trace=NO_TRACE)
        except AppError as error:
            if error.is_fault:
                raise
            problem = error.detail
    # Names of members are personal data, which timelines do not keep.
    shown = "" if action.type is ActionType.ASSIGN_OWNER else name
    return ActionResult(type=action.type, name=shown, error=problem)


def _command(action: StoredAction, name: str, lead_ids: Sequence[UUID]) -> BulkChange:
    given = {
        ActionType.ASSIGN_OWNER: {"action": "set", "changes": {"ownerId": action.target}},
        ActionType.SET_STAGE: {"action": "set", "changes": {"stage": action.target}},
        ActionType.ADD_TO_LIST: {"action": "addToList", "arguments": {"listId": action.target}},
        ActionType.ADD_TAG: {"action": "addTags", "arguments": {"names": [name]}},
    }[action.type]
    return BulkChange.model_validate({**given, "leadIds": [str(lead_id) for lead_id in lead_ids]})
