"""Rules: what happens to leads that enter or leave a tier of a profile."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from leadflood.api.deps import ExpectedVersion, InPages, Listing, ResourceId, UnitOfWorkDep, etag
from leadflood.api.routing import EdgeRoute, requires
from leadflood.domains.rules import queries, service
from leadflood.domains.rules.contracts import CreateRule, DryRun, RuleEffects, RuleList, RuleView, RunView, UpdateRule
from leadflood.domains.rules.permissions import RULES_READ, RULES_WRITE
from leadflood.domains.rules.queries import effects

router = APIRouter(tags=["rules"], route_class=EdgeRoute)

_Number = Annotated[
    int | None,
    Query(ge=1, le=1_000_000, description="Number of the version. Default: the draft, or else the live one."),
]


def _answer(response: Response, rule: RuleView) -> RuleView:
    response.headers["ETag"] = etag(rule.version)
    return rule


@router.get("/v1/rules", summary="List the rules")
@requires(RULES_READ)
async def list_rules(unit: UnitOfWorkDep) -> RuleList:
    """All rules of the workspace by name, each with the number of its runs in the last 90 days."""
    return RuleList(items=await queries.list_rules(unit.tx, unit.actor))


@router.post("/v1/rules", status_code=201, summary="Create a rule")
@requires(RULES_WRITE)
async def create_rule(command: CreateRule, response: Response, unit: UnitOfWorkDep) -> RuleView:
    """Create a rule. Its actions need the permissions that doing them by hand needs."""
    made = await service.create_rule(unit.tx, unit.actor, command=command)
    response.headers["Location"] = f"/v1/rules/{made.id}"
    return _answer(response, made)


@router.get("/v1/rules/{id}", summary="Retrieve a rule")
@requires(RULES_READ)
async def get_rule(rule_id: ResourceId, response: Response, unit: UnitOfWorkDep) -> RuleView:
    """Returns the rule. Its `ETag` is the value for `If-Match`. `problem` says what keeps it from running."""
    return _answer(response, await queries.get_rule(unit.tx, unit.actor, rule_id=rule_id))


@router.patch("/v1/rules/{id}", summary="Update a rule")
@requires(RULES_WRITE)
async def update_rule(
    rule_id: ResourceId, command: UpdateRule, version: ExpectedVersion, response: Response, unit: UnitOfWorkDep
) -> RuleView:
    """Change, enable or disable a rule. Leads that moved while it was disabled don't count. Requires `If-Match`."""
    changed = await service.update_rule(unit.tx, unit.actor, rule_id=rule_id, command=command, expected_version=version)
    return _answer(response, changed)


@router.delete("/v1/rules/{id}", status_code=204, summary="Delete a rule")
@requires(RULES_WRITE)
async def delete_rule(rule_id: ResourceId, unit: UnitOfWorkDep) -> None:
    """Delete a rule. What it did to leads stays."""
    await service.delete_rule(unit.tx, unit.actor, rule_id=rule_id)


@router.get("/v1/rules/{id}/dry-run", summary="Preview a rule")
@requires(RULES_READ)
async def dry_run_rule(rule_id: ResourceId, unit: UnitOfWorkDep) -> DryRun:
    """Number of leads in the tier now, how many of them the actions would change, and up to 20 examples."""
    return await queries.dry_run(unit.tx, unit.actor, rule_id=rule_id)


@router.get("/v1/rules/{id}/runs", summary="List the runs of a rule")
@requires(RULES_READ)
async def list_rule_runs(rule_id: ResourceId, pages: InPages, unit: UnitOfWorkDep) -> Listing[RunView]:
    """The runs of the last 90 days, the latest first."""
    page = await queries.list_runs(unit.tx, unit.actor, rule_id=rule_id, after=pages.after, limit=pages.limit)
    return pages.answer(page)


@router.get("/v1/icps/{id}/rule-effects", summary="Preview rules for a version of a profile")
@requires(RULES_READ)
async def preview_rules(icp_id: ResourceId, unit: UnitOfWorkDep, number: _Number = None) -> RuleEffects:
    """Number of leads that each enabled rule would run on if the version was published."""
    return await effects.rule_effects(unit.tx, unit.actor, icp_id=icp_id, number=number)
