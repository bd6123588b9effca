"""Texts about rules: the only source for pages, timelines and the command line."""

from collections.abc import Mapping
from typing import Any, Final

from leadflood.domains.rules.models import MAX_DEPTH, ActionType, RunOutcome, Trigger

TRIGGERS: Final = {Trigger.ENTERS: "enters", Trigger.LEAVES: "leaves"}
_PAST: Final = {Trigger.ENTERS: "entered", Trigger.LEAVES: "left"}
_TODO: Final = {
    ActionType.ASSIGN_OWNER: "Assign to {name}",
    ActionType.SET_STAGE: "Set stage to {name}",
    ActionType.ADD_TO_LIST: "Add to list “{name}”",
    ActionType.ADD_TAG: "Add tag “{name}”",
}
_DONE: Final = {
    ActionType.ASSIGN_OWNER: "assigned an owner",
    ActionType.SET_STAGE: "set stage to {name}",
    ActionType.ADD_TO_LIST: "added to list “{name}”",
    ActionType.ADD_TAG: "tagged “{name}”",
}


def action_text(type_: ActionType, name: str) -> str:
    """The text of an action, such as "Add tag “Hot”"."""
    return _TODO[type_].format(name=name)


def condition_text(trigger: Trigger, tier: str, profile: str) -> str:
    """The condition of a rule, such as "A lead enters tier A of Main profile"."""
    return f"A lead {TRIGGERS[trigger]} tier {tier} of {profile}"


def run_text(data: Mapping[str, Any]) -> str:
    """Text of an entry in the timeline: what the rule did, and why."""
    rule = f"rule “{data.get('rule', '')}”"
    trigger = _PAST[Trigger(data["trigger"])]
    why = f"{trigger} tier {data.get('tier', '')} of {data.get('profile', '')}."
    if data.get("outcome") == RunOutcome.STOPPED:
        return f"Nothing done by {rule}: {why} The change followed from {MAX_DEPTH} rules that caused each other."
    actions = data.get("actions", [])
    done = [_DONE[ActionType(each["type"])].format(name=each["name"]) for each in actions if not each.get("error")]
    failed = [f"Failed: {each['error']}" for each in actions if each.get("error")]
    said = ", ".join(done) if done else "nothing done"
    return " ".join([f"{said[0].upper()}{said[1:]} by {rule}: {why}", *failed])
