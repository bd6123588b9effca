"""SQL that writes leads and their timeline. Every state change names the state it expects."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Row, Uuid, bindparam, func, insert, select, text, update

from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.tables import lead_events, leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.ids import new_id

INSERT = text("""
INSERT INTO leads (workspace_id, id, email, email_norm, first_name, last_name, company, job_title, phone, website,
                   country, source, custom_fields, owner_id, search_text)
VALUES (:workspace_id, :id, :email, :email_norm, :first_name, :last_name, :company, :job_title, :phone, :website,
        :country, :source, CAST(:custom_fields AS jsonb), :owner_id, :search_text)
ON CONFLICT (workspace_id, email_norm) WHERE deleted_at IS NULL DO NOTHING
RETURNING id
""").bindparams(bindparam("workspace_id", type_=Uuid), bindparam("id", type_=Uuid), bindparam("owner_id", type_=Uuid))

_RECORD = insert(lead_events).values(at=func.now())

PURGE = text("""
DELETE FROM leads WHERE (workspace_id, id) IN (
    SELECT workspace_id, id FROM leads
    WHERE deleted_at < now() - make_interval(days => :days)
    LIMIT :batch
)
""").bindparams(bindparam("days", type_=Integer))


async def insert_lead(tx: Transaction, values: Mapping[str, Any]) -> bool:
    """Insert a lead; False if a living one of the workspace has the address. Waits for a concurrent insert to end."""
    row = {**values, "custom_fields": json.dumps(values["custom_fields"])}
    return await tx.first(INSERT, row) is not None


async def lock(tx: Transaction, workspace_id: UUID, lead_id: UUID, *, deleted: bool = False) -> Row[Any] | None:
    """A living (or a deleted) lead, locked for this transaction."""
    query = (
        select(leads)
        .where(leads.c.workspace_id == workspace_id, leads.c.id == lead_id)
        .where(leads.c.deleted_at.is_not(None) if deleted else leads.c.deleted_at.is_(None))
        .with_for_update(key_share=True)  # NO KEY: rows that refer to the lead go on being written
    )
    return await tx.first(query)


async def update_lead(
    tx: Transaction, workspace_id: UUID, lead_id: UUID, *, expected_version: int, values: Mapping[str, Any]
) -> bool:
    """Change fields of a lead at the version expected. Raises: sqlalchemy.exc.IntegrityError: address or owner."""
    statement = (
        update(leads)
        .where(
            leads.c.workspace_id == workspace_id,
            leads.c.id == lead_id,
            leads.c.version == expected_version,
            leads.c.deleted_at.is_(None),
        )
        .values(**values, version=leads.c.version + 1, updated_at=func.now())
    )
    return await tx.changed(statement) == 1


async def set_deleted(tx: Transaction, workspace_id: UUID, lead_id: UUID, *, deleted: bool) -> bool:
    """Delete, or restore. Raises: sqlalchemy.exc.IntegrityError: on restoring when the address is taken again."""
    expected = leads.c.deleted_at.is_(None) if deleted else leads.c.deleted_at.is_not(None)
    statement = (
        update(leads)
        .where(leads.c.workspace_id == workspace_id, leads.c.id == lead_id, expected)
        .values(deleted_at=func.now() if deleted else None, version=leads.c.version + 1, updated_at=func.now())
    )
    return await tx.changed(statement) == 1


async def set_status(
    tx: Transaction,
    workspace_id: UUID,
    lead_id: UUID,
    *,
    expected: Collection[LeadStatus],
    status: LeadStatus,
    error: str | None = None,
) -> bool:
    """Move a lead from one of the expected states. Deleted leads move too: they may come back."""
    values: dict[str, Any] = {"status": status, "error": error, "updated_at": func.now()}
    if status is LeadStatus.ENRICHED:
        values["enriched_at"] = func.now()
    statement = (
        update(leads)
        .where(
            leads.c.workspace_id == workspace_id,
            leads.c.id == lead_id,
            leads.c.status.in_(sorted(expected)),
        )
        .values(**values, version=leads.c.version + 1)
    )
    return await tx.changed(statement) == 1


async def purge(tx: Transaction, *, days: int, batch: int) -> int:
    """Remove up to `batch` leads that were deleted more than `days` ago, over all workspaces."""
    return await tx.changed(PURGE, {"days": days, "batch": batch})


async def record(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID], kind: str, data: Mapping[str, Any]) -> None:
    """Add one entry to the timeline of each lead."""
    await tx.execute(
        _RECORD,
        [
            {
                "workspace_id": actor.workspace_id,
                "lead_id": lead_id,
                "id": new_id(),
                "kind": kind,
                "actor_kind": actor.kind,
                "actor_id": actor.id,
                "data": dict(data),
            }
            for lead_id in lead_ids
        ],
    )


async def existing_id(tx: Transaction, workspace_id: UUID, email_norm: str) -> UUID | None:
    """The living lead with this address."""
    query = select(leads.c.id).where(
        leads.c.workspace_id == workspace_id, leads.c.email_norm == email_norm, leads.c.deleted_at.is_(None)
    )
    found: UUID | None = await tx.scalar(query)
    return found
