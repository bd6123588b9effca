"""Export and erasure of personal data over HTTP, by lead or by email."""

from typing import Any

from fastapi import APIRouter

from leadflood.api.deps import ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.leads.contracts.personal_data import (
    EraseLead,
    ErasePerson,
    ErasureView,
    PersonalDataView,
    PersonByAddress,
)
from leadflood.domains.leads.permissions import PERSONAL_DATA
from leadflood.domains.leads.service import personal_data

router = APIRouter(prefix="/v1", tags=["personal data"], route_class=EdgeRoute)

_OF_LEAD: dict[int | str, dict[str, Any]] = {404: {}}
_ERASURE: dict[int | str, dict[str, Any]] = {404: {}, 409: {}}
_BY_ADDRESS: dict[int | str, dict[str, Any]] = {409: {}}


@router.post("/leads/{id}/personal-data-exports", summary="Export a lead's personal data", responses=_OF_LEAD)
@requires(PERSONAL_DATA, whole_file=True)
async def export_lead(lead_id: ResourceId, unit: UnitOfWorkDep) -> PersonalDataView:
    """Returns all stored data about the person, including deleted and merged leads.

    A lead, deleted leads with the same email, and leads merged with one of them are the same person. The audit log
    records the export.
    """
    return await personal_data.export_personal_data(unit.tx, unit.actor, unit.parts.participants, who=lead_id)


@router.post("/leads/{id}/erasures", summary="Erase a lead's personal data", responses=_ERASURE)
@requires(PERSONAL_DATA, whole_file=True)
async def erase_lead(lead_id: ResourceId, command: EraseLead, unit: UnitOfWorkDep) -> ErasureView:
    """Delete the person everywhere in the workspace, permanently. With `dryRun`, list what would be deleted.

    Deletes the person's leads, including deleted and merged ones, and everything that refers to them. Replaces the
    person's email, phone number and full name in imports, changesets, views and the audit log. Deletes export files
    that may contain the person. Atomic. Returns 409 while an import that may contain the person is being previewed or
    committed.
    """
    return await personal_data.erase_person(
        unit.tx, unit.actor, unit.parts.participants, who=lead_id, dry_run=command.dry_run
    )


@router.post("/personal-data-exports", summary="Export personal data by email")
@requires(PERSONAL_DATA, whole_file=True)
async def export_person(command: PersonByAddress, unit: UnitOfWorkDep) -> PersonalDataView:
    """Like the export of a lead. Also finds data of people who are no longer leads."""
    return await personal_data.export_personal_data(unit.tx, unit.actor, unit.parts.participants, who=command.email)


@router.post("/erasures", summary="Erase personal data by email", responses=_BY_ADDRESS)
@requires(PERSONAL_DATA, whole_file=True)
async def erase_person(command: ErasePerson, unit: UnitOfWorkDep) -> ErasureView:
    """Like the erasure of a lead. Also deletes data of people who are no longer leads."""
    return await personal_data.erase_person(
        unit.tx, unit.actor, unit.parts.participants, who=command.email, dry_run=command.dry_run
    )
