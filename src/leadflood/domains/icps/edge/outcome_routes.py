"""Outcomes of leads: what became of them."""

from fastapi import APIRouter, Response

from leadflood.api.deps import InPages, Listing, ResourceId, UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.icps.contracts.outcomes import (
    ImportedOutcomes,
    ImportOutcomes,
    OutcomeView,
    RecordOutcome,
)
from leadflood.domains.icps.models.outcomes import OutcomeSource
from leadflood.domains.icps.permissions import ICPS_READ, OUTCOMES_WRITE
from leadflood.domains.icps.queries import outcomes as queries
from leadflood.domains.icps.service import outcomes

router = APIRouter(tags=["icps"], route_class=EdgeRoute)


@router.get("/v1/leads/{id}/outcomes", summary="List the outcomes of a lead")
@requires(ICPS_READ)
async def list_outcomes(lead_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[OutcomeView]:
    """The outcomes of the lead, the latest first."""
    return pages.answer(
        await queries.list_outcomes(unit.tx, unit.actor, lead_id=lead_id, after=pages.after, limit=pages.limit)
    )


@router.post("/v1/leads/{id}/outcomes", status_code=201, summary="Record an outcome of a lead")
@requires(OUTCOMES_WRITE)
async def record_outcome(
    lead_id: ResourceId, command: RecordOutcome, response: Response, unit: UnitOfWorkDep
) -> OutcomeView:
    """Record that a lead was won or lost, or fits well or badly. The same outcome of the same time is recorded once."""
    made = await outcomes.record_outcome(
        unit.tx, unit.actor, lead_id=lead_id, command=command, source=OutcomeSource.API
    )
    response.headers["Location"] = f"/v1/leads/{lead_id}/outcomes"
    return made


@router.post("/v1/outcomes", status_code=200, summary="Record outcomes by email")
@requires(OUTCOMES_WRITE)
async def import_outcomes(command: ImportOutcomes, unit: UnitOfWorkDep) -> ImportedOutcomes:
    """Record up to 1,000 outcomes of leads by email. The answer says which entries have no lead, or are not valid."""
    return await outcomes.import_outcomes(unit.tx, unit.actor, entries=command.outcomes, source=OutcomeSource.IMPORT)


@router.delete("/v1/outcomes/{id}", status_code=204, summary="Delete an outcome")
@requires(OUTCOMES_WRITE)
async def delete_outcome(outcome_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete an outcome. Record it again to take that back."""
    await outcomes.delete_outcome(unit.tx, unit.actor, outcome_id=outcome_id)
