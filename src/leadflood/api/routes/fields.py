"""Custom fields over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import ExpectedVersion, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.fields import queries, service
from leadflood.domains.fields.contracts import CreateField, FieldsView, FieldView, UpdateField
from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.domains.leads.permissions import LEADS_READ

router = APIRouter(prefix="/v1/custom-fields", tags=["custom-fields"], route_class=EdgeRoute)


@router.post("", status_code=201, summary="Create a custom field")
@requires(WORKSPACE_WRITE)
async def create_field(command: CreateField, response: Response, unit: UnitOfWorkDep) -> FieldView:
    """Define a field for all leads of the workspace. Values that leads have under its key already are converted."""
    field = await service.create_field(unit.tx, unit.actor, command=command, trace=unit.trace)
    response.headers["Location"] = f"/v1/custom-fields/{field.id}"
    response.headers["ETag"] = etag(field.version)
    return field


@router.get("", summary="List the custom fields")
@requires(LEADS_READ)
async def get_fields(
    unit: UnitOfWorkDep, subject: Annotated[Literal["lead"], Query(description="What the fields are of.")] = "lead"
) -> FieldsView:
    """All custom fields in their order, archived ones last."""
    return FieldsView(items=await queries.list_fields(unit.tx, unit.actor, subject=subject))


@router.get("/{id}", summary="Retrieve a custom field")
@requires(LEADS_READ)
async def get_field(field_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> FieldView:
    """A custom field. Its `ETag` is the value for `If-Match`."""
    field = await queries.get_field(unit.tx, unit.actor, field_id=field_id)
    response.headers["ETag"] = etag(field.version)
    return field


@router.patch("/{id}", summary="Update a custom field")
@requires(WORKSPACE_WRITE)
async def update_field(
    field_id: ResourceId, command: UpdateField, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> FieldView:
    """Change label, type, options or position; archive or unarchive a field."""
    field = await service.update_field(
        unit.tx, unit.actor, field_id=field_id, command=command, expected_version=version, trace=unit.trace
    )
    response.headers["ETag"] = etag(field.version)
    return field


@router.delete("/{id}", status_code=204, summary="Delete a custom field")
@requires(WORKSPACE_WRITE)
async def delete_field(field_id: ResourceId, version: ExpectedVersion, unit: UnitOfWorkDep) -> None:
    """Delete the definition. The leads keep their values, without a label and a type."""
    await service.delete_field(unit.tx, unit.actor, field_id=field_id, expected_version=version)
