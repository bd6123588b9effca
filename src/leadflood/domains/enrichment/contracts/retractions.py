"""Retractions in the API: what a source wrote in a period is taken for void."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.facts import MANUAL
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.values import OwnerId
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue, line
from leadflood.kernel.timestamps import Timestamp

_MAX_NAME = 100
_FIELDS = sorted(PERSON_FIELDS.names() | COMPANY_FIELDS.names())


def _check_source(name: str) -> str:
    if name == MANUAL:
        message = "What people wrote is not retracted. Undo it where it was written."
        raise InvalidValue(message, "not_allowed")
    return line(_MAX_NAME).parse(name)


def _check_field(name: str) -> str:
    if name not in _FIELDS:
        message = f"Must be one of: {', '.join(_FIELDS)}."
        raise InvalidValue(message, "not_allowed")
    return name


class RetractValues(Schema):
    """The values to retract: those that a source wrote from `since` until before `until`.

    They stay as receipts, and other values are chosen. With `dryRun`, nothing is retracted: the answer has the counts.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"source": "website", "since": "2026-11-24T00:00:00Z", "field": "country", "expectedCount": 310},
                {"source": "website", "since": "2026-11-24T00:00:00Z", "dryRun": True},
            ]
        }
    )

    source: Annotated[str, FromText(_check_source, {"minLength": 1, "maxLength": _MAX_NAME})]
    since: Timestamp
    until: Timestamp | None = Field(default=None, description="Default: now.")
    field: Annotated[str, FromText(_check_field, {"enum": _FIELDS})] | None = Field(
        default=None, description="Only values of this field."
    )
    lead_id: OwnerId | None = Field(default=None, description="Only values about this lead.")
    company_id: OwnerId | None = Field(default=None, description="Only values about this company.")
    expected_count: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = Field(
        default=None, description="Required without `dryRun`: if there are more values, none is retracted."
    )
    dry_run: bool = Field(default=False, description="Count only.")

    @model_validator(mode="after")
    def _is_whole(self) -> "RetractValues":
        if self.lead_id is not None and self.company_id is not None:
            message = "Send at most one of leadId and companyId."
            raise InvalidValue(message, "not_allowed")
        if self.until is not None and self.until <= self.since:
            message = "Send an until after since."
            raise InvalidValue(message, "out_of_range")
        if not self.dry_run and self.expected_count is None:
            message = "Send expectedCount, or dryRun to count."
            raise InvalidValue(message, "required")
        return self


class RetractionEstimate(View):
    """The values that would be retracted. Nothing was."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"values": 310, "leads": 0, "companies": 120, "chosen": 280, "until": "2026-12-01T09:30:00Z"}]
        }
    )

    values: int
    leads: int
    companies: int
    chosen: int = Field(description="Those of the values that are chosen now.")
    until: datetime = Field(description="Send it with the request, so that later values are not meant.")


class RetractionView(View):
    """A retraction. Its ID is that of its changeset, by which it is undone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10",
                    "source": "website",
                    "since": "2026-11-24T00:00:00Z",
                    "until": "2026-12-01T09:30:00Z",
                    "field": None,
                    "leadId": None,
                    "companyId": None,
                    "values": 310,
                    "leads": 0,
                    "companies": 120,
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "jobId": None,
                    "createdAt": "2026-12-01T09:30:04Z",
                    "endedAt": "2026-12-01T09:30:04Z",
                    "undoneAt": None,
                }
            ]
        }
    )

    id: UUID
    source: str
    since: datetime
    until: datetime
    field: str | None
    lead_id: UUID | None
    company_id: UUID | None
    values: int = Field(description="Values retracted so far.")
    leads: int
    companies: int
    actor: ActorView
    job_id: UUID | None = Field(description="The job that retracts many, while `endedAt` is null.")
    created_at: datetime
    ended_at: datetime | None
    undone_at: datetime | None
