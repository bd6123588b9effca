"""Verbs on rules: create, change, enable, disable, delete."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from leadflood.domains.icps import queries as icps
from leadflood.domains.icps.errors import IcpNotFound
from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.lists import queries as lists
from leadflood.domains.lists.permissions import LISTS_WRITE
from leadflood.domains.rules import queries, store
from leadflood.domains.rules.contracts import CreateRule, RuleAction, RuleView, StoredAction, UpdateRule
from leadflood.domains.rules.errors import (
    DuplicateRule,
    RuleNotFound,
    RuleVersionConflict,
    TooManyRules,
    UnknownProfile,
    UnknownRuleTier,
    UnknownTarget,
)
from leadflood.domains.rules.events import COMPARE_TIERS, RULE, ProfilePayload, RuleAuditAction
from leadflood.domains.rules.models import MAX_RULES, ActionType, Trigger
from leadflood.domains.rules.permissions import RULES_WRITE
from leadflood.domains.rules.queries import targets
from leadflood.domains.stages.queries import stages_of
from leadflood.domains.tags import queries as tags
from leadflood.domains.tags import service as tag_service
from leadflood.domains.tags.contracts import CreateTag
from leadflood.domains.tags.models import name_key as tag_key
from leadflood.domains.tags.permissions import TAGS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.text import InvalidValue, search_key

_PERMISSIONS: Final = {
    ActionType.ASSIGN_OWNER: LEADS_WRITE,
    ActionType.SET_STAGE: LEADS_WRITE,
    ActionType.ADD_TO_LIST: LISTS_WRITE,
    ActionType.ADD_TAG: TAGS_WRITE,
}
"""Permissions that the author of an action needs: no rule gives more than its author has."""
_COUNTED: Final = ("icp_id", "trigger", "tier", "include_present")
"""The fields that decide when a rule runs. A change of them counts from then on."""


async def create_rule(tx: Transaction, actor: Actor, *, command: CreateRule) -> RuleView:
    """Create a rule.

    Raises: DuplicateRule, TooManyRules, UnknownProfile, UnknownRuleTier, UnknownTarget,
        leadflood.kernel.actor.MissingPermission: also that of an action.
    """
    actor.require(RULES_WRITE)
    await store.lock_all(tx, actor.workspace_id)
    if await queries.count_rules(tx, actor) >= MAX_RULES:
        raise TooManyRules(MAX_RULES)
    await _require_tier(tx, actor, command.icp_id, command.tier)
    await _require_free(tx, actor, command.name)
    values = {
        "name": command.name,
        "name_key": search_key(command.name),
        "icp_id": command.icp_id,
        "trigger": command.trigger,
        "tier": command.tier,
        "actions": await _resolved(tx, actor, command.actions),
        "include_present": command.include_present,
    }
    rule_id = await store.insert_rule(tx, actor.workspace_id, values)
    await _record(tx, actor, RuleAuditAction.CREATED, rule_id, command.name)
    if command.enabled:
        await store.update_rule(tx, actor.workspace_id, rule_id, {**values, "enabled": True})
        await _begin(tx, actor, rule_id, values)
        await _record(tx, actor, RuleAuditAction.ENABLED, rule_id, command.name)
    return await queries.get_rule(tx, actor, rule_id=rule_id)


async def update_rule(
    tx: Transaction, actor: Actor, *, rule_id: UUID, command: UpdateRule, expected_version: int
) -> RuleView:
    """Change, enable or disable a rule. What the leads of its tier went through while it was disabled does not count.

    Raises: RuleNotFound, RuleVersionConflict, DuplicateRule, UnknownProfile, UnknownRuleTier, UnknownTarget,
        leadflood.kernel.actor.MissingPermission: also that of an action.
    """
    actor.require(RULES_WRITE)
    await store.lock_all(tx, actor.workspace_id)
    stored = await _lock(tx, actor, rule_id)
    if stored.version != expected_version:
        raise RuleVersionConflict(stored.version)
    before = {name: stored[name] for name in ("name", *_COUNTED, "enabled")} | {"actions": stored.actions}
    given = {name: value for name in command.model_fields_set if (value := getattr(command, name)) is not None}
    if "actions" in given:
        given["actions"] = await _resolved(tx, actor, command.actions or ())
    values = {**before, **given}
    if search_key(values["name"]) != search_key(stored.name):
        await _require_free(tx, actor, values["name"])
    if values["enabled"] or (values["icp_id"], values["tier"]) != (stored.icp_id, stored.tier):
        await _require_tier(tx, actor, values["icp_id"], values["tier"])
    if values == before:
        return await queries.get_rule(tx, actor, rule_id=rule_id)
    await store.update_rule(tx, actor.workspace_id, rule_id, {**values, "name_key": search_key(values["name"])})
    if values["enabled"] and (not stored.enabled or any(values[name] != before[name] for name in _COUNTED)):
        await _begin(tx, actor, rule_id, values)
    await _record(tx, actor, _change(before, values), rule_id, values["name"])
    return await queries.get_rule(tx, actor, rule_id=rule_id)


async def delete_rule(tx: Transaction, actor: Actor, *, rule_id: UUID) -> None:
    """Delete a rule. What it did stays, and is undone on the page of changes. Raises: RuleNotFound."""
    actor.require(RULES_WRITE)
    stored = await _lock(tx, actor, rule_id)
    await store.delete_rule(tx, actor.workspace_id, rule_id)
    await _record(tx, actor, RuleAuditAction.DELETED, rule_id, stored.name)


async def _lock(tx: Transaction, actor: Actor, rule_id: UUID) -> Row:
    """Raises: RuleNotFound."""
    stored = await store.lock_rule(tx, actor.workspace_id, rule_id)
    if stored is None:
        raise RuleNotFound
    return stored


async def _begin(tx: Transaction, actor: Actor, rule_id: UUID, values: Mapping[str, Any]) -> None:
    """Let an enabled rule count. A job finds what transactions that do not know of it have changed."""
    present = values["include_present"] and values["trigger"] == Trigger.ENTERS
    await store.begin(tx, actor.workspace_id, rule_id, with_present=present)
    payload = ProfilePayload(icp_id=values["icp_id"])
    await jobs.enqueue(tx, actor, jobs=[NewJob(COMPARE_TIERS, payload, values["icp_id"])])


async def _require_free(tx: Transaction, actor: Actor, name: str) -> None:
    """Raises: DuplicateRule."""
    existing = await queries.rule_named(tx, actor, name_key=search_key(name))
    if existing is not None:
        raise DuplicateRule(name, existing)


async def _require_tier(tx: Transaction, actor: Actor, icp_id: UUID, tier: str) -> None:
    """Raises: UnknownProfile, UnknownRuleTier: neither its live version nor, without one, its draft has the tier."""
    try:
        icp = await icps.get_icp(tx, actor, icp_id=icp_id)
    except IcpNotFound as error:
        raise UnknownProfile from error
    version = await icps.get_version(tx, actor, icp_id=icp_id, number=icp.live.number if icp.live else None)
    names = [each.name for each in version.body.tiers]
    if tier not in names:
        raise UnknownRuleTier(", ".join(names))


async def _resolved(tx: Transaction, actor: Actor, actions: Sequence[RuleAction]) -> str:
    """Actions as stored, in JSON; tags that do not exist are created. Raises: UnknownTarget, MissingPermission."""
    known = await targets.load_all(tx, actor)
    found: dict[tuple[ActionType, str], StoredAction] = {}
    for place, action in enumerate(actions):
        actor.require(_PERMISSIONS[action.type])
        target = await _target(tx, actor, place, action)
        name = known.names[action.type].get(target, action.target)
        if action.type is ActionType.ASSIGN_OWNER:
            name = (await identity.get_member(tx, actor, user_id=UUID(target))).name
        found[action.type, target] = StoredAction(type=action.type, target=target, name=name)
    return json.dumps([each.model_dump(mode="json", by_alias=True) for each in found.values()])


async def _target(tx: Transaction, actor: Actor, place: int, action: RuleAction) -> str:
    """The ID of a target, or the key of a stage. Raises: UnknownTarget."""
    text = action.target
    if action.type is ActionType.ASSIGN_OWNER:
        member = (await identity.members_by_name(tx, actor.workspace_id)).get(text.lower())
        if member is None:
            raise UnknownTarget(place, "No such member. Provide the ID or the email of a member of the workspace.")
        return str(member)
    if action.type is ActionType.SET_STAGE:
        return await _stage(tx, actor, place, text)
    if action.type is ActionType.ADD_TO_LIST:
        names = await lists.list_names(tx, actor)
        named = await lists.named(tx, actor, text)
        if text.lower() not in names and named is None:
            raise UnknownTarget(place, "No such list. Provide the ID or the name of a list of the workspace.")
        return text.lower() if text.lower() in names else str(named.id if named is not None else "")
    return await _tag(tx, actor, place, text)


async def _stage(tx: Transaction, actor: Actor, place: int, text: str) -> str:
    stages = await stages_of(tx, actor.workspace_id)
    try:
        key = stages.key_of(text)
    except InvalidValue:
        key = None
    if key is None or stages.by_key[key].archived:
        message = f"No such stage. Provide one of: {', '.join(each.name for each in stages.active)}."
        raise UnknownTarget(place, message)
    return key


async def _tag(tx: Transaction, actor: Actor, place: int, text: str) -> str:
    if text.lower() in await tags.tag_names(tx, actor):
        return text.lower()
    if _is_id(text):
        raise UnknownTarget(place, "No such tag. Provide the ID or the name of a tag of the workspace.")
    found = (await tags.named(tx, actor.workspace_id, [text])).get(tag_key(text))
    if found is not None:
        return str(found.id)
    made = await tag_service.create_tag(tx, actor, command=CreateTag.model_validate({"name": text}))
    return str(made.id)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _change(before: Mapping[str, Any], values: Mapping[str, Any]) -> RuleAuditAction:
    """The name of a change in the audit log."""
    if before["enabled"] == values["enabled"]:
        return RuleAuditAction.CHANGED
    return RuleAuditAction.ENABLED if values["enabled"] else RuleAuditAction.DISABLED


async def _record(tx: Transaction, actor: Actor, action: RuleAuditAction, rule_id: UUID, name: str) -> None:
    await audit.record(tx, actor, action=action, subject_type=RULE, subject_id=rule_id, data={"count": 1, "name": name})
