"""Enrichment in the API: every value with its receipt."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.kernel.schema import View


class EnrichmentValueView(View):
    """A found value with its source. The `chosen` value is shown on the lead; others have lower confidence."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "field": "company_domain",
                    "value": "acme.com",
                    "confidence": 0.95,
                    "chosen": True,
                    "adapter": "email_insight",
                    "adapterVersion": "1",
                    "method": "public_suffix",
                    "evidence": "The address is at acme.com, which is no free or disposable mail provider.",
                    "sourceUrl": None,
                    "costMicros": 0,
                    "observedAt": "2026-03-01T09:30:02Z",
                }
            ]
        }
    )

    field: str
    value: str | bool | int | float
    confidence: float = Field(ge=0, le=1, description="Confidence in the value, as estimated by the adapter.")
    chosen: bool
    adapter: str
    adapter_version: str
    method: str
    evidence: str
    source_url: str | None
    cost_micros: int = Field(description="Cost in millionths of the account currency.")
    observed_at: datetime


class EnrichmentRunView(View):
    """A call of an enrichment adapter for a lead."""

    id: UUID
    job_id: UUID
    adapter: str
    adapter_version: str
    status: Literal["completed", "failed"]
    error: str | None
    cost_micros: int
    started_at: datetime
    finished_at: datetime


class LeadEnrichmentView(View):
    """Enrichment data of a lead: values, best first per field, and runs, newest first."""

    values: list[EnrichmentValueView]
    runs: list[EnrichmentRunView]


class EnrichmentRequested(View):
    """A queued enrichment."""

    lead_id: UUID
    job_id: UUID
