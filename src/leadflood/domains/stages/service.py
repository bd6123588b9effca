"""Verbs on stages."""

from dataclasses import replace
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.domains.stages import queries, store
from leadflood.domains.stages.contracts import CreateStage, StageView, UpdateStage
from leadflood.domains.stages.errors import (
    DuplicateStage,
    LastStage,
    StageNotFound,
    StageVersionConflict,
    TooManyStages,
    UnknownStage,
)
from leadflood.domains.stages.events import STAGE, STAGE_CREATED, STAGE_UPDATED, StageAuditAction, StageData
from leadflood.domains.stages.models import MAX_STAGES, Stage, StageList, stage_key
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.events import Event, EventType
from leadflood.kernel.ids import new_id


async def create_stage(tx: Transaction, actor: Actor, *, command: CreateStage) -> StageView:
    """Create a stage, last in the list. Raises: DuplicateStage, TooManyStages."""
    actor.require(WORKSPACE_WRITE)
    stored = await _lock(tx, actor)
    if len(stored.items) >= MAX_STAGES:
        raise TooManyStages(MAX_STAGES)
    _require_free(stored, command.name)
    stage = Stage(new_id(), stage_key(command.name), command.name, command.color, len(stored.items))
    await store.insert(tx, actor.workspace_id, [stage])
    await _record(tx, actor, STAGE_CREATED, StageAuditAction.CREATED, stage)
    return queries.view_of(stage)


async def update_stage(
    tx: Transaction, actor: Actor, *, stage_id: UUID, command: UpdateStage, expected_version: int
) -> StageView:
    """Rename, recolor, move, archive or restore a stage. Leads keep it.

    Raises: StageNotFound, StageVersionConflict, DuplicateStage, LastStage.
    """
    actor.require(WORKSPACE_WRITE)
    stored = await _lock(tx, actor)
    stage = next((each for each in stored.items if each.id == stage_id), None)
    if stage is None:
        raise StageNotFound
    if stage.version != expected_version:
        raise StageVersionConflict(stage.version)
    changed = replace(
        stage,
        name=command.name or stage.name,
        color=command.color or stage.color,
        archived=stage.archived if command.archived is None else command.archived,
    )
    if changed.name != stage.name:
        _require_free(stored, changed.name, stage)
    if changed.archived and stored.active in ([], [stage]):
        raise LastStage
    if command.position is not None:
        order = [each.id for each in stored.items if each.id != stage_id]
        order.insert(command.position, stage_id)
        await store.order(tx, actor.workspace_id, order)
    expect_changed(
        await store.update(
            tx,
            actor.workspace_id,
            stage_id,
            expected_version=expected_version,
            name=changed.name,
            color=changed.color,
            archived=changed.archived,
        )
    )
    await _record(tx, actor, STAGE_UPDATED, StageAuditAction.UPDATED, stage)
    return await queries.get_stage(tx, actor, stage_id=stage_id)


async def resolve(tx: Transaction, workspace_id: UUID, text: str, *, pointer: str = "/stage") -> str:
    """The key of the stage with this key or name. `pointer`: JSON pointer to the value. Raises: UnknownStage."""
    stages = await queries.stages_of(tx, workspace_id)
    key = stages.key_of(text)
    if key is None:
        raise UnknownStage([stage.name for stage in stages.active], pointer)
    return key


async def _lock(tx: Transaction, actor: Actor) -> StageList:
    """The stages, locked against changes, and stored from now on."""
    await store.lock(tx, actor.workspace_id)
    stages = await queries.stages_of(tx, actor.workspace_id)
    await store.insert(tx, actor.workspace_id, stages.items)
    return stages


def _require_free(stages: StageList, name: str, own: Stage | None = None) -> None:
    """Raises: DuplicateStage: another stage is called like this."""
    word = stage_key(name)
    for stage in stages.items:
        if stage != own and word in (stage.key, stage_key(stage.name)):
            raise DuplicateStage(name, stage.id)


async def _record(
    tx: Transaction, actor: Actor, event: EventType[StageData], action: StageAuditAction, stage: Stage
) -> None:
    await publish(tx, event, [Event(stage.id, StageData(), actor)])
    data: dict[str, JsonValue] = {"count": 1, "key": stage.key}
    await audit.record(tx, actor, action=action, subject_type=STAGE, subject_id=stage.id, data=data)
