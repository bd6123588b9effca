"""Batches in the API: which leads or companies, the estimate, and how far they are."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from leadflood.domains.companies.contracts import Domain
from leadflood.domains.enrichment.models.batches import MAX_DOMAINS, BatchStatus, BatchSubject, Outcome
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.bulk import MAX_IDS
from leadflood.domains.leads.contracts.filters import LeadQuery
from leadflood.domains.leads.values import OwnerId
from leadflood.domains.spending.models import MAX_AMOUNT
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import InvalidValue, line

_ID = "0197a3b0-7e4c-7cc3-98c8-2f1d5a7b9e11"
_MAX_NAME = 200


class StartEnrichment(Schema):
    """Leads or companies to enrich, by one of `leadIds`, `matching`, `importId` and `domains`.

    With `dryRun`, nothing is started: the answer is an estimate. Leads and companies whose facts are fresh are skipped,
    unless you set `includeFresh`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "matching": {"all": [{"field": "status", "operator": "isAnyOf", "value": ["new", "failed"]}]},
                    "dryRun": True,
                },
                {"domains": ["acme.com", "globex.de"], "name": "Fair in Cologne"},
            ]
        }
    )

    lead_ids: Annotated[list[OwnerId], Field(min_length=1, max_length=MAX_IDS)] | None = None
    matching: LeadQuery | None = Field(default=None, description="Filter for active leads. `{}` matches all.")
    import_id: OwnerId | None = Field(default=None, description="The leads that an import created or updated.")
    domains: Annotated[list[Domain], Field(min_length=1, max_length=MAX_DOMAINS)] | None = Field(
        default=None, description="Companies by domain, which are created if they are missing."
    )
    include_fresh: bool = Field(default=False, description="Enrich those again whose facts are fresh.")
    name: Annotated[str, line(_MAX_NAME)] | None = Field(default=None, description="Name of the batch for people.")
    expected_count: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = Field(
        default=None, description="Only with `matching`: if more leads match, nothing is started."
    )
    budget_micros: Annotated[int, Field(ge=0, le=MAX_AMOUNT)] | None = Field(
        default=None,
        description="The most that sources which charge may cost, in millionths, within the budgets of the workspace. "
        "Without it, none of them is asked. `mostMicros` of the estimate is enough for all.",
    )
    dry_run: bool = Field(default=False, description="Estimate only.")

    @model_validator(mode="after")
    def _names_one(self) -> "StartEnrichment":
        if sum(item is not None for item in (self.lead_ids, self.matching, self.import_id, self.domains)) != 1:
            message = "Send exactly one of leadIds, matching, importId and domains."
            raise InvalidValue(message, "required")
        if self.expected_count is not None and self.matching is None:
            message = "Send expectedCount with matching only."
            raise InvalidValue(message, "not_allowed")
        return self

    @property
    def subject(self) -> BatchSubject:
        """Kind of what it enriches."""
        return BatchSubject.COMPANIES if self.domains is not None else BatchSubject.LEADS


class SourceCalls(View):
    """The most questions that a source is asked."""

    source: str
    at_most: int


class EnrichmentEstimate(View):
    """Estimate of a batch. Nothing was started."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "subject": "leads",
                    "total": 1240,
                    "fresh": 310,
                    "companies": 420,
                    "calls": [{"source": "website", "atMost": 420}],
                    "secondsFrom": 23,
                    "secondsTo": 507,
                    "likelyMicros": 3_100_000,
                    "likelyFromMicros": 2_700_000,
                    "likelyToMicros": 3_600_000,
                    "mostMicros": 10_500_000,
                    "costHistory": 640,
                    "currency": "EUR",
                    "exact": False,
                }
            ]
        }
    )

    subject: BatchSubject
    total: int = Field(description="Leads, or companies.")
    fresh: int = Field(description="Those that are skipped, because their facts are fresh.")
    companies: int = Field(description="Companies whose sources are asked.")
    calls: list[SourceCalls] = Field(description="Requests to sources, at most.")
    seconds_from: int = Field(description="Duration if no register has to be asked.")
    seconds_to: int = Field(description="Duration if each is asked about each company.")
    likely_micros: int = Field(description="What sources with a price will probably cost: the median, in millionths.")
    likely_from_micros: int = Field(description="It costs less with a probability of 10 %.")
    likely_to_micros: int = Field(description="It costs more with a probability of 10 %.")
    cost_history: int = Field(description="Latest calls by which the cost is judged. 0: anything up to the most.")
    most_micros: int = Field(description="The most that sources with a price can cost, in millionths.")
    currency: str
    exact: bool = Field(description="False if `fresh` and `companies` are scaled from the first 1,000 leads.")


class BatchReason(View):
    """Reason why some are partial, failed or skipped. Names and numbers that differ are replaced."""

    outcome: Outcome
    reason: str
    count: int


class EnrichmentBatchView(View):
    """A batch, and how far it is. `planned` is the number of those that have not begun."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "status": "running",
                    "subject": "leads",
                    "name": "All leads",
                    "includeFresh": False,
                    "total": 1240,
                    "planned": 700,
                    "running": 48,
                    "waiting": 3,
                    "completed": 170,
                    "partial": 12,
                    "failed": 0,
                    "skipped": 310,
                    "reasons": [{"outcome": "partial", "reason": "The website does not exist.", "count": 12}],
                    "budgetMicros": 10_500_000,
                    "spentMicros": 1_250_000,
                    "heldMicros": 25_000,
                    "jobId": "0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10",
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "error": None,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "endedAt": None,
                }
            ]
        }
    )

    id: UUID
    status: BatchStatus
    subject: BatchSubject
    name: str
    include_fresh: bool
    total: int
    planned: int
    running: int
    waiting: int = Field(description="Enriched with what is known; sources that limit requests are asked again later.")
    completed: int
    partial: int = Field(description="Enriched, but some sources could not be asked or reached.")
    failed: int
    skipped: int
    reasons: list[BatchReason]
    budget_micros: int | None = Field(description="Null: sources that charge are not asked.")
    spent_micros: int = Field(description="What it cost so far.")
    held_micros: int = Field(description="Reserved for calls under way, and in doubt.")
    job_id: UUID
    actor: ActorView
    error: str | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def processed(self) -> int:
        """Those that have ended."""
        return self.completed + self.partial + self.failed + self.skipped
