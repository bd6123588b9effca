"""The data of a person over HTTP: a copy of it, and its erasure; by lead or by address."""

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
from leadflood.domains.leads.service import personal_data
from leadflood.kernel.actor import Permission

router = APIRouter(prefix="/v1", tags=["personal data"], route_class=EdgeRoute)

_OF_LEAD: dict[int | str, dict[str, Any]] = {404: {}}
_ERASURE: dict[int | str, dict[str, Any]] = {404: {}, 409: {}}
_BY_ADDRESS: dict[int | str, dict[str, Any]] = {409: {}}


@router.post("/leads/{id}/personal-data-exports", summary="Export the data of a lead's person", responses=_OF_LEAD)
@requires(Permission.PERSONAL_DATA, whole_file=True)
async def export_lead(lead_id: ResourceId, unit: UnitOfWorkDep) -> PersonalDataView:
    """All that the workspace has about the person, also of a deleted or merged lead. The audit log records the export.

    A lead, its deleted predecessors with the same address, and the leads that are merged with them are one person.
    """
    return await personal_data.export_personal_data(unit.tx, unit.actor, unit.parts.participants, who=lead_id)


@router.post("/leads/{id}/erasures", summary="Erase a lead's person", responses=_ERASURE)
@requires(Permission.PERSONAL_DATA, whole_file=True)
async def erase_lead(lead_id: ResourceId, command: EraseLead, unit: UnitOfWorkDep) -> ErasureView:
    """Remove the person everywhere in the workspace, for good; with `dryRun`, list what that would remove.

    Leads go with all that hangs on them, deleted and merged ones of the same person included. Imports, changesets,
    views and the audit log lose what names the person. Export files that may have the person are removed. Everything
    happens in one transaction. 409 while an import that has the person is being read or written.
    """
    return await personal_data.erase_person(
        unit.tx, unit.actor, unit.parts.participants, who=lead_id, dry_run=command.dry_run
    )


@router.post("/personal-data-exports", summary="Export the data of a person by address")
@requires(Permission.PERSONAL_DATA, whole_file=True)
async def export_person(command: PersonByAddress, unit: UnitOfWorkDep) -> PersonalDataView:
    """As for a lead, by address: it also finds what is left of a person who is no lead any more."""
    return await personal_data.export_personal_data(unit.tx, unit.actor, unit.parts.participants, who=command.email)


@router.post("/erasures", summary="Erase a person by address", responses=_BY_ADDRESS)
@requires(Permission.PERSONAL_DATA, whole_file=True)
async def erase_person(command: ErasePerson, unit: UnitOfWorkDep) -> ErasureView:
    """As for a lead, by address: it also erases what is left of a person who is no lead any more."""
    return await personal_data.erase_person(
        unit.tx, unit.actor, unit.parts.participants, who=command.email, dry_run=command.dry_run
    )
