"""The audit log."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from leadflood.api.deps import InPages, InUnit, Listing
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import AuditEventView
from leadflood.kernel.actor import Permission
from leadflood.kernel.moment import Moment

router = APIRouter(prefix="/v1/audit-events", tags=["audit"], route_class=EdgeRoute)

ActionFilter = Annotated[
    str | None,
    Query(
        max_length=100,
        pattern=r"^[a-z0-9._-]+$",
        description="Only actions that begin so: `session.ended`, or `session.` for all of sessions.",
    ),
]


@router.get("", summary="List audit events, newest first")
@requires(Permission.AUDIT_READ)
async def list_audit_events(
    unit: InUnit,
    paging: InPages,
    action: ActionFilter = None,
    actor_id: Annotated[UUID | None, Query(alias="actorId", description="Only by this user or key.")] = None,
    subject_id: Annotated[UUID | None, Query(alias="subjectId", description="Only about this.")] = None,
    since: Annotated[Moment | None, Query(description="At this time or later.")] = None,
    until: Annotated[Moment | None, Query(description="Before this time.")] = None,
) -> Listing[AuditEventView]:
    """Every privileged change: who, what, when, and by which request."""
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
    return paging.answer(page)
