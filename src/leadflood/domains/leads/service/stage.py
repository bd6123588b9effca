"""Stages of leads: what callers name by key or name becomes the key of a stage of the workspace."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from leadflood.domains.leads.contracts import NewLead, UpdateLead
from leadflood.domains.leads.contracts.bulk import LeadChanges
from leadflood.domains.stages import queries
from leadflood.domains.stages.errors import UnknownStage
from leadflood.domains.stages.service import resolve
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError

Changes = TypeVar("Changes", UpdateLead, LeadChanges)


async def resolve_new(
    tx: Transaction, workspace_id: UUID, leads: Sequence[NewLead], refused: dict[UUID, AppError]
) -> list[NewLead]:
    """New leads with the keys of their stages. Adds to `refused` those with an unknown stage."""
    if not any(lead.command.stage for lead in leads):
        return list(leads)
    known = await queries.stages_of(tx, workspace_id)
    result: list[NewLead] = []
    for lead in leads:
        key = known.key_of(lead.command.stage) if lead.command.stage else None
        if lead.command.stage and key is None:
            refused.setdefault(lead.id, UnknownStage([stage.name for stage in known.active]))
        result.append(replace(lead, command=lead.command.model_copy(update={"stage": key})))
    return result


async def resolved(tx: Transaction, workspace_id: UUID, changes: Changes, *, prefix: str = "") -> Changes:
    """Changes with the key of their stage. `prefix`: JSON pointer to them. Raises: UnknownStage."""
    if changes.stage is None:
        return changes
    key = await resolve(tx, workspace_id, changes.stage, pointer=f"{prefix}/stage")
    return changes.model_copy(update={"stage": key})
