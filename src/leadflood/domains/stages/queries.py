"""SQL that reads stages."""

from uuid import UUID

from leadflood.domains.stages.contracts import StageView
from leadflood.domains.stages.errors import StageNotFound
from leadflood.domains.stages.models import MAX_STAGES, Stage, StageList, default_stages
from leadflood.kernel.actor import Actor
from leadflood.kernel.colors import Color
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The stages in order.
_STAGES = sql("""
SELECT id, key, name, color, position, archived_at IS NOT NULL AS archived, version FROM lead_stages
WHERE workspace_id = :workspace_id ORDER BY position, key LIMIT :limit
""")


async def stages_of(tx: Transaction, workspace_id: UUID) -> StageList:
    """The stages of a workspace in order, archived ones included. The defaults, until one of them is changed."""
    rows = await tx.all(_STAGES, {"workspace_id": workspace_id, "limit": MAX_STAGES})
    stored = [
        Stage(row.id, row.key, row.name, Color(row.color), row.position, row.archived, row.version) for row in rows
    ]
    return StageList(stored or default_stages(workspace_id))


async def list_stages(tx: Transaction, actor: Actor) -> list[StageView]:
    """The stages in order, archived ones included."""
    return [view_of(stage) for stage in (await stages_of(tx, actor.workspace_id)).items]


async def get_stage(tx: Transaction, actor: Actor, *, stage_id: UUID) -> StageView:
    """Raises: StageNotFound."""
    for stage in (await stages_of(tx, actor.workspace_id)).items:
        if stage.id == stage_id:
            return view_of(stage)
    raise StageNotFound


async def stage_names(tx: Transaction, actor: Actor) -> dict[str, str]:
    """The names of all stages by key, for filters."""
    return (await stages_of(tx, actor.workspace_id)).labels


def view_of(stage: Stage) -> StageView:
    """The stage as it is returned."""
    return StageView(
        id=stage.id,
        key=stage.key,
        name=stage.name,
        color=stage.color,
        position=stage.position,
        archived=stage.archived,
        version=stage.version,
    )
