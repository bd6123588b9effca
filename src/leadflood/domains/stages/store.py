"""SQL that writes stages."""

from collections.abc import Sequence
from uuid import UUID

from leadflood.domains.stages.models import Stage
from leadflood.kernel.colors import Color
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Changes of a workspace's stages wait for each other here, so that names are unique and the limit holds.
_LOCK = sql("SELECT pg_advisory_xact_lock(hashtextextended('stages ' || :workspace_id::uuid::text, 0))")

# Insert stages that are not there.
_INSERT = sql("""
INSERT INTO lead_stages (workspace_id, id, key, name, color, position)
SELECT :workspace_id, id, key, name, color, position
FROM unnest(:ids::uuid[], :keys::text[], :names::text[], :colors::text[], :positions::integer[])
     AS new (id, key, name, color, position)
ON CONFLICT DO NOTHING
""")

# Change a stage.
_UPDATE = sql("""
UPDATE lead_stages
SET name = :name, color = :color, archived_at = CASE WHEN :archived THEN coalesce(archived_at, now()) END,
    version = version + 1, updated_at = now()
WHERE workspace_id = :workspace_id AND id = :stage_id AND version = :expected_version
""")

# Set the positions of stages.
_ORDER = sql("""
UPDATE lead_stages s SET position = n.position - 1
FROM unnest(:stage_ids::uuid[]) WITH ORDINALITY AS n (id, position)
WHERE s.workspace_id = :workspace_id AND s.id = n.id AND s.position <> n.position - 1
""")


async def lock(tx: Transaction, workspace_id: UUID) -> None:
    """Let one transaction at a time change the stages of a workspace."""
    await tx.execute(_LOCK, {"workspace_id": workspace_id})


async def insert(tx: Transaction, workspace_id: UUID, stages: Sequence[Stage]) -> None:
    """Insert stages; those that are stored already stay as they are."""
    values = {
        "workspace_id": workspace_id,
        "ids": [stage.id for stage in stages],
        "keys": [stage.key for stage in stages],
        "names": [stage.name for stage in stages],
        "colors": [stage.color.value for stage in stages],
        "positions": [stage.position for stage in stages],
    }
    await tx.execute(_INSERT, values)


async def update(
    tx: Transaction,
    workspace_id: UUID,
    stage_id: UUID,
    *,
    expected_version: int,
    name: str,
    color: Color,
    archived: bool,
) -> int:
    """Change a stage at the version expected. Returns the number of changed rows."""
    values = {"name": name, "color": color, "archived": archived, "expected_version": expected_version}
    return await tx.changed(_UPDATE, {"workspace_id": workspace_id, "stage_id": stage_id, **values})


async def order(tx: Transaction, workspace_id: UUID, stage_ids: Sequence[UUID]) -> None:
    """Set the positions of stages, in this order from 0."""
    await tx.execute(_ORDER, {"workspace_id": workspace_id, "stage_ids": list(stage_ids)})
