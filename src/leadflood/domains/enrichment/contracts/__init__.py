"""Enrichment in the API: every value with its receipt."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.enrichment.models.choosing import Because
from leadflood.domains.enrichment.models.company_runs import CompanyRunState
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.filling import FILLED_BY, FillState
from leadflood.domains.enrichment.models.runs import RunState, StepState
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, InvalidValue

FILLABLE: Final = {field.api_name: field.name for field in LEAD_FIELDS if field.name in FILLED_BY}
"""Names of the lead fields that found values can fill: in the API, and in the database."""
_MAX_VALUE: Final = 2000


def _check_fillable(name: str) -> str:
    if name not in FILLABLE:
        message = f"Found values can fill: {', '.join(FILLABLE)}."
        raise InvalidValue(message, "not_allowed")
    return name


class PinMark(View):
    """The pin of a value, or a correction: who decided it, and when."""

    actor: ActorView
    actor_name: str = Field(description="Name of the member or API key, `CLI` or `System`.")
    at: datetime


class RetractionMark(PinMark):
    """The retraction of a value: see `/v1/retractions`."""

    id: UUID


class RejectionMark(PinMark):
    """The rejection of a value."""

    id: UUID


class EnrichmentValueView(View):
    """A found value with its source. The `chosen` value is shown on the lead; others have lower confidence.

    A value with a `retraction` or a `rejection` is a receipt only: it is not chosen, nor does it compete. The source
    `manual` is a correction by a person.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "field": "company_domain",
                    "value": "acme.com",
                    "confidence": 0.95,
                    "chosen": True,
                    "because": "only",
                    "source": "email_insight",
                    "sourceVersion": "1",
                    "method": "public_suffix",
                    "evidence": "The address is at acme.com, which is no free or disposable mail provider.",
                    "sourceUrl": None,
                    "quote": None,
                    "costMicros": 0,
                    "currency": None,
                    "observedAt": "2026-03-01T09:30:02Z",
                    "retraction": None,
                    "pin": None,
                    "rejection": None,
                }
            ]
        }
    )

    field: str
    value: str | bool | int | float
    confidence: float = Field(ge=0, le=1, description="Confidence in the value, as estimated by its source.")
    chosen: bool
    because: Because | None = Field(
        description="Why it was chosen: `pinned` by a person, `agreed` by several sources, `surest`, or `only`."
    )
    source: str
    source_version: str
    method: str
    evidence: str
    source_url: str | None
    quote: str | None = Field(description="Text of the page or record that says so.")
    cost_micros: int = Field(description="Cost of the answer that the value came with, in millionths of `currency`.")
    currency: str | None = Field(default=None, description="ISO 4217 code. Null: the answer was free.")
    observed_at: datetime
    retraction: RetractionMark | None = None
    pin: PinMark | None = None
    rejection: RejectionMark | None = None

    @property
    def competes(self) -> bool:
        """Whether it can be chosen."""
        return self.retraction is None and self.rejection is None


class EnrichmentRunView(View):
    """A question about a lead that a source was asked."""

    id: UUID
    job_id: UUID | None
    source: str
    source_version: str
    status: Literal["completed", "failed"]
    error: str | None
    cost_micros: int
    started_at: datetime
    finished_at: datetime


class SourceStepView(View):
    """A source in a run."""

    source: str
    state: StepState = Field(
        description="`asking` while it is being asked; then `found`, `missed` (it has nothing), `refused`, `waiting`"
        " (asked again later), `away` (not reached), `failed` (an error here), or `skipped`."
    )
    message: str = Field(description="The answer in a sentence.")
    facts: int = Field(description="Number of values.")
    seconds: float
    stored: bool = Field(description="Whether an earlier answer was used and nothing was asked.")
    until: datetime | None = Field(description="When it can be asked again, if it waits or could not be asked.")
    cost_micros: int = Field(default=0, description="What the answer cost, in millionths of `currency`.")
    currency: str | None = Field(default=None, description="ISO 4217 code. Null: the answer was free.")
    avoided_micros: int = Field(
        default=0,
        description="What asking would have cost at most, in millionths of `avoidedCurrency`, if it was not asked "
        "because no answer could change a tier.",
    )
    avoided_currency: str | None = Field(default=None, description="ISO 4217 code. Null: nothing was saved.")


class LeadRunView(View):
    """The latest run of the sources about a lead that do not answer immediately."""

    job_id: UUID
    state: RunState
    message: str = Field(description="The result in a sentence.")
    steps: list[SourceStepView]
    ended_at: datetime
    not_before: datetime | None = Field(description="When sources are asked again that asked for patience.")


class LeadEnrichmentView(View):
    """Enrichment data of a lead: values, best first per field, and runs, newest first."""

    values: list[EnrichmentValueView]
    runs: list[EnrichmentRunView]
    latest_run: LeadRunView | None = Field(
        default=None, description="Null: only sources that answer immediately were asked."
    )


class CompanyRunView(View):
    """A run: the sources were asked about a company."""

    id: UUID
    job_id: UUID
    domain: str
    state: CompanyRunState
    message: str = Field(description="The result in a sentence; empty until it ends.")
    steps: list[SourceStepView]
    requested_at: datetime
    not_before: datetime | None = Field(description="When it starts, if it is for sources that want to be asked later.")
    started_at: datetime | None
    ended_at: datetime | None
    fresh_until: datetime | None = Field(description="Until then, a new lead of the company starts no other run.")

    @property
    def is_scheduled(self) -> bool:
        """Whether it waits for its time."""
        return self.ended_at is None and self.started_at is None and self.not_before is not None


class CompanyEnrichmentView(View):
    """Facts about a company, best first per field, and its latest runs, newest first."""

    values: list[EnrichmentValueView]
    runs: list[CompanyRunView]

    @property
    def scheduled(self) -> CompanyRunView | None:
        """The run that waits for its time."""
        return next((run for run in self.runs[:1] if run.is_scheduled), None)

    @property
    def latest(self) -> CompanyRunView | None:
        """The latest run that has started or is about to."""
        return next((run for run in self.runs if not run.is_scheduled), None)


class CompanyEnrichmentRequested(View):
    """A queued run of a company."""

    company_id: UUID
    job_id: UUID


class EnrichmentRequested(View):
    """A queued enrichment."""

    lead_id: UUID
    job_id: UUID


class EffectiveValueView(View):
    """A found value for an empty field of a lead."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "value": "Ada",
                    "state": "filled",
                    "confidence": 0.98,
                    "subject": "lead",
                    "source": "email_insight",
                }
            ]
        }
    )

    value: str
    state: FillState = Field(
        description="`filled`: sure enough to count as the lead's value; `suggested`: not before it is accepted."
    )
    confidence: float = Field(ge=0, le=1, description="Confidence in the value, of all sources that agree on it.")
    subject: SubjectKind = Field(description="Whether it was found about the lead, or about its linked company.")
    source: str


class AcceptValues(Schema):
    """Found values to accept as values of a lead. Without `values`, all effective values of the lead."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"values": {"firstName": "Ada", "country": "GB"}}]})

    values: (
        Annotated[
            dict[
                Annotated[str, FromText(_check_fillable, {"enum": list(FILLABLE)})],
                Annotated[str, Field(min_length=1, max_length=_MAX_VALUE)],
            ],
            Field(min_length=1, max_length=len(FILLABLE)),
        ]
        | None
    ) = Field(default=None, description="The values as you read them in `effectiveValues`, by field.")


class AcceptAllValues(Schema):
    """Arguments of the bulk action that accepts all found values: none."""


class AcceptedValuesView(View):
    """The result of an acceptance."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "leadId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "fields": ["firstName", "country"],
                    "changesetId": "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11",
                    "version": 4,
                }
            ]
        }
    )

    lead_id: UUID
    fields: list[str] = Field(description="The fields that were written; not those that had the value already.")
    changeset_id: UUID | None = Field(description="Undoing this changeset empties the fields again. Null: no change.")
    version: int = Field(description="Version of the lead, for `If-Match`.")
