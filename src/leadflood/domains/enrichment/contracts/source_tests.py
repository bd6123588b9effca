"""Tests of sources in the API."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from leadflood.domains.enrichment.contracts import SourceStepView
from leadflood.kernel.schema import Schema, View


class StartSourceTest(Schema):
    """The lead or company that a source is asked about."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"about": "ada@acme.com"}]})

    about: str = Field(
        min_length=1,
        max_length=320,
        description="Email of a lead, for a source about leads; domain of a company, for one about companies.",
    )


class SourceTestCallView(View):
    """A request that a source sent, and the reply. The key is shown as `[secret]`."""

    method: str
    url: str
    headers: dict[str, str] = Field(description="Headers that the source has set.")
    body: str | None = Field(description="JSON that was sent.")
    status: int | None = Field(description="Status of HTTP. Null: there is no reply that can be read.")
    reply: str = Field(description="The first 4,000 characters of the reply, or why there is none.")


class SourceTestValueView(View):
    """A value that the source found."""

    field: str
    value: JsonValue
    confidence: float


class SourceTestView(View):
    """The latest test of a source: one call about a lead or company, limited by its budgets."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "source": "hunter_email_verifier",
                    "leadId": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e11",
                    "companyId": None,
                    "jobId": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e12",
                    "requestedAt": "2026-12-01T09:30:00Z",
                    "endedAt": None,
                    "step": None,
                    "calls": [],
                    "values": [],
                }
            ]
        }
    )

    source: str
    lead_id: UUID | None
    company_id: UUID | None
    job_id: UUID
    requested_at: datetime
    ended_at: datetime | None = Field(description="Null: it has not ended.")
    step: SourceStepView | None = Field(description="How the source answered. Null: it has not ended.")
    calls: list[SourceTestCallView]
    values: list[SourceTestValueView]
