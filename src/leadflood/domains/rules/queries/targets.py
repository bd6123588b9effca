"""Targets of actions: members, stages, lists and tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from leadflood.domains.identity import queries as identity
from leadflood.domains.lists import queries as lists
from leadflood.domains.rules.contracts import StoredAction
from leadflood.domains.rules.models import ActionType
from leadflood.domains.stages import queries as stages
from leadflood.domains.tags import queries as tags
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_GONE: Final = {
    ActionType.ASSIGN_OWNER: "{name} is no longer a member. Choose another owner.",
    ActionType.SET_STAGE: "The stage “{name}” is archived. Restore it, or choose another stage.",
    ActionType.ADD_TO_LIST: "The list “{name}” was deleted. Restore it, or choose another list.",
    ActionType.ADD_TAG: "The tag “{name}” was deleted. Restore it, or choose another tag.",
}
_MAX_MEMBERS: Final = 200


@dataclass(frozen=True, slots=True)
class Targets:
    """All targets of a workspace: names by ID, or by key for stages."""

    names: dict[ActionType, dict[str, str]]

    def current(self, action: StoredAction) -> str:
        """The name of the target; the one that was saved with the action if it is gone."""
        return self.names[action.type].get(action.target, action.name)

    def problem(self, action: StoredAction) -> str | None:
        """The reason why the action cannot be done, with the remedy; None if it can."""
        return None if action.target in self.names[action.type] else _GONE[action.type].format(name=action.name)


async def load(tx: Transaction, actor: Actor, actions: Sequence[StoredAction]) -> Targets:
    """The targets of these actions that still exist."""
    wanted = {type_: {each.target for each in actions if each.type is type_} for type_ in ActionType}
    owners = {UUID(each) for each in wanted[ActionType.ASSIGN_OWNER]}
    members = await identity.members_among(tx, actor.workspace_id, owners) if owners else set()
    names = await identity.actor_names(tx, actor, members)
    return Targets(
        {
            ActionType.ASSIGN_OWNER: {str(each): names.get(each, "") for each in members},
            ActionType.SET_STAGE: await _stages(tx, actor) if wanted[ActionType.SET_STAGE] else {},
            ActionType.ADD_TO_LIST: await lists.list_names(tx, actor) if wanted[ActionType.ADD_TO_LIST] else {},
            ActionType.ADD_TAG: await tags.tag_names(tx, actor) if wanted[ActionType.ADD_TAG] else {},
        }
    )


async def load_all(tx: Transaction, actor: Actor) -> Targets:
    """All targets, to choose from. Members: the first 200."""
    members = await identity.list_members(tx, actor, limit=_MAX_MEMBERS)
    return Targets(
        {
            ActionType.ASSIGN_OWNER: {str(each.id): each.name for each in members.items},
            ActionType.SET_STAGE: await _stages(tx, actor),
            ActionType.ADD_TO_LIST: await lists.list_names(tx, actor),
            ActionType.ADD_TAG: await tags.tag_names(tx, actor),
        }
    )


async def _stages(tx: Transaction, actor: Actor) -> dict[str, str]:
    return {stage.key: stage.name for stage in (await stages.stages_of(tx, actor.workspace_id)).active}
