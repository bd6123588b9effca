"""Contracts of outcomes."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.icps.models.outcomes import OutcomeKind, OutcomeSource
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue
from leadflood.kernel.timestamps import PastTime

MAX_OUTCOMES: Final = 1_000
"""Outcomes in one request."""


def _kind(text: str) -> OutcomeKind:
    try:
        return OutcomeKind(text.strip().lower())
    except ValueError:
        message = "Provide one of: won, lost, good, bad."
        raise InvalidValue(message, "unknown_outcome") from None


Kind = Annotated[OutcomeKind, FromText(_kind, {"enum": [each.value for each in OutcomeKind]})]


class RecordOutcome(Schema):
    """An outcome of a lead."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "won", "at": "2026-03-01"}]})

    outcome: Kind
    at: PastTime | None = Field(default=None, description="When it became known. Default: now.")


class OutcomeEntry(Schema):
    """An outcome of the lead with an email."""

    email: Annotated[str, Field(min_length=1, max_length=400)]
    outcome: Kind
    at: PastTime


class ImportOutcomes(Schema):
    """Outcomes by email. An invalid entry does not affect others."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"outcomes": [{"email": "ada@acme.com", "outcome": "won", "at": "2026-03-01"}]}]
        }
    )

    outcomes: Annotated[list[dict[str, str]], Field(min_length=1, max_length=MAX_OUTCOMES)]


class OutcomeView(View):
    """An outcome of a lead."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e11",
                    "leadId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "outcome": "won",
                    "at": "2026-03-01T00:00:00Z",
                    "source": "api",
                    "recordedBy": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "recordedAt": "2026-03-02T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    lead_id: UUID
    outcome: OutcomeKind
    at: datetime
    source: OutcomeSource
    recorded_by: ActorView
    recorded_at: datetime


class OutcomeResult(View):
    """Result of an entry. `unmatched`: there is no lead with its email."""

    email: str | None
    status: Literal["recorded", "unchanged", "unmatched", "invalid"]
    error: str | None = None


class ImportedOutcomes(View):
    """Results in the order of the entries, and their numbers. `unchanged`: recorded before."""

    recorded: int
    unchanged: int
    unmatched: int
    invalid: int
    results: list[OutcomeResult]
