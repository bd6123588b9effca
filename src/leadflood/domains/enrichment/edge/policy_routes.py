"""Policies of found fields over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path

from leadflood.api.deps import UnitOfWorkDep
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.enrichment.contracts.policies import (
    FillPoliciesView,
    FillPolicyEstimate,
    FillPolicyView,
    SetFillPolicy,
)
from leadflood.domains.enrichment.permissions import ENRICHMENT_WRITE
from leadflood.domains.enrichment.queries.policies import list_policies
from leadflood.domains.enrichment.service import policies
from leadflood.domains.leads.permissions import LEADS_READ

router = APIRouter(prefix="/v1/fill-policies", tags=["facts"], route_class=EdgeRoute)

_NAME = r"^[a-z][a-z0-9_.]*$"
_Subject = Annotated[
    str, Path(max_length=20, pattern=_NAME, examples=["company"], description="`lead` or `company`, as in the list.")
]
_Field = Annotated[str, Path(max_length=100, pattern=_NAME, examples=["country"])]


@router.get("", summary="List fill policies")
@requires(LEADS_READ)
async def list_fill_policies(unit: UnitOfWorkDep) -> FillPoliciesView:
    """For each found field that fills a field of leads: from which confidence, and whether it is suggested below."""
    return await list_policies(unit.tx, unit.actor)


@router.put("/{subject}/{field}", status_code=200, summary="Set a fill policy")
@requires(ENRICHMENT_WRITE)
async def set_fill_policy(
    subject: _Subject, field: _Field, command: SetFillPolicy, unit: UnitOfWorkDep
) -> FillPolicyView | FillPolicyEstimate:
    """Set the policy of a found field, or estimate its effect with `dryRun`.

    Leads, lists and search follow by the job `jobId`; a found value that is read by itself follows immediately.
    """
    if command.dry_run:
        return await policies.estimate(unit.tx, unit.actor, subject=subject, field=field, command=command)
    return await policies.set_policy(
        unit.tx, unit.actor, subject=subject, field=field, command=command, trace=unit.trace
    )


@router.delete("/{subject}/{field}", status_code=200, summary="Reset a fill policy")
@requires(ENRICHMENT_WRITE)
async def reset_fill_policy(subject: _Subject, field: _Field, unit: UnitOfWorkDep) -> FillPolicyView:
    """Give the field the standard policy."""
    return await policies.reset_policy(unit.tx, unit.actor, subject=subject, field=field, trace=unit.trace)
