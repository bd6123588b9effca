"""Results of a batch request, lead by lead."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic_core import to_json
from starlette.responses import Response

from leadflood.api.deps import UnitOfWork
from leadflood.api.errors import FieldProblem
from leadflood.domains.leads import service
from leadflood.domains.leads.contracts import CreateLead, InvalidLead, LeadCreated, NewLead
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, FieldError, InvalidInput
from leadflood.kernel.queue.ports import Priority
from leadflood.kernel.schema import View

_ID = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"
Result = dict[str, Any]


class LeadResult(View):
    """Result for one lead. Properties that don't apply are omitted."""

    status: Literal["created", "duplicate", "invalid"]
    lead_id: UUID | None = Field(None, description="The new lead.")
    job_id: UUID | None = Field(None, description="The job that enriches it.")
    existing_id: UUID | None = Field(None, description="Existing lead with the same email.")
    errors: list[FieldProblem] | None = Field(
        None, description="Validation errors, with pointers relative to the lead."
    )


class LeadResults(View):
    """One result per lead, in request order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "created": 1,
                    "duplicate": 1,
                    "invalid": 0,
                    "results": [
                        {"status": "created", "leadId": _ID, "jobId": "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11"},
                        {"status": "duplicate", "existingId": _ID},
                    ],
                }
            ]
        }
    )

    created: int
    duplicate: int
    invalid: int
    results: list[LeadResult]


async def create_each(tx: Transaction, unit: UnitOfWork, leads: Sequence[CreateLead | InvalidLead]) -> list[Result]:
    """Create the valid leads in this transaction, and return one result per lead, in order. Raises: Unavailable."""
    trace = unit.trace
    sound = [NewLead(unit.actor, item, trace, priority=Priority.BULK) for item in leads if isinstance(item, CreateLead)]
    workspace_id = unit.actor.workspace_id
    outcomes = iter(await service.create_leads(tx, workspace_id=workspace_id, leads=sound) if sound else ())
    return [_invalid(lead.errors) if isinstance(lead, InvalidLead) else _result(next(outcomes)) for lead in leads]


def results_answer(results: Sequence[Result]) -> Response:
    """The response to a batch."""
    statuses = Counter(result["status"] for result in results)
    return Response(to_json({**counts(statuses), "results": results}), media_type="application/json")


def counts(statuses: Counter[str]) -> dict[str, int]:
    """Number of leads per outcome, including outcomes that did not occur."""
    return {status: statuses[status] for status in ("created", "duplicate", "invalid")}


def _result(outcome: LeadCreated | AppError) -> Result:
    if isinstance(outcome, LeadCreated):
        return {"status": "created", "leadId": outcome.lead_id, "jobId": outcome.job_id}
    if isinstance(outcome, DuplicateLead):
        return {"status": "duplicate", "existingId": outcome.extra["existingId"]}
    if isinstance(outcome, InvalidInput):
        return _invalid(outcome.errors)
    raise outcome


def _invalid(errors: Sequence[FieldError]) -> Result:
    details = [{"pointer": error.pointer, "code": error.code, "message": error.message} for error in errors]
    return {"status": "invalid", "errors": details}
