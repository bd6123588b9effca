"""The audit log."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from leadflood.api.deps import InPages, Listing, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AuditEventView
from leadflood.domains.identity.permissions import AUDIT_READ
from leadflood.domains.leads.queries.changesets import changeset_of, undoable_among
from leadflood.kernel.timestamps import Timestamp

router = APIRouter(prefix="/v1/audit-events", tags=["audit"], route_class=EdgeRoute)

ActionFilter = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=r"^[a-z0-9._-]+$",
        description="Filter by action or prefix, e.g. `session.ended`, or `session.` for all session actions.",
    ),
]


class RecordedEvent(AuditEventView):
    """An audit event, with how to undo it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11",
                    "at": "2026-03-01T09:30:00Z",
                    "actor": {"kind": "user", "id": "0197a3a8-7c31-7d05-9f4e-2b6a8c0d1e2f"},
                    "action": "leads.deleted",
                    "subjectType": "changeset",
                    "subjectId": "0197a3b1-0d4c-7e22-a1b3-9c8d7e6f5a40",
                    "data": {"count": 2281, "changesetId": "0197a3b1-0d4c-7e22-a1b3-9c8d7e6f5a40"},
                    "requestId": "b1946ac92492d2347c6235b4d2611184",
                    "undo": "/v1/changesets/0197a3b1-0d4c-7e22-a1b3-9c8d7e6f5a40/undos",
                }
            ]
        }
    )

    undo: str | None = Field(description="Path for a POST request that undoes it; null if it can't be undone.")


def _with_undo(event: AuditEventView, undoable: Collection[UUID]) -> RecordedEvent:
    changeset_id, merge_id = changeset_of(event.data), event.data.get("mergeId")
    undo = f"/v1/merges/{merge_id}/undos" if merge_id else f"/v1/changesets/{changeset_id}/undos"
    return RecordedEvent(**dict(event), undo=undo if changeset_id in undoable else None)


@router.get("", summary="List audit events, newest first")
@requires(AUDIT_READ)
async def list_audit_events(
    unit: UnitOfWorkDep,
    paging: InPages,
    action: ActionFilter = None,
    actor_id: Annotated[UUID | None, Query(alias="actorId", description="Filter by user or API key.")] = None,
    subject_id: Annotated[UUID | None, Query(alias="subjectId", description="Filter by subject.")] = None,
    since: Annotated[Timestamp | None, Query(description="Inclusive.")] = None,
    until: Annotated[Timestamp | None, Query(description="Exclusive.")] = None,
) -> Listing[RecordedEvent]:
    """Every change with actor, action, time and request ID, its count in `data`, and how to undo it in `undo`."""
    page = await queries.list_audit_events(
        unit.tx,
        unit.actor,
        action=action,
        actor_id=actor_id,
        subject_id=subject_id,
        since=since,
        until=until,
        after=paging.after,
        limit=paging.limit,
    )
    undoable = await undoable_among(unit.tx, unit.actor, [event.data for event in page.items])
    return paging.answer(page.map(lambda event: _with_undo(event, undoable)))
