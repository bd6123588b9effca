"""Metrics in the API."""

from datetime import datetime

from pydantic import ConfigDict, Field

from leadflood.domains.metrics.models import TimeRange
from leadflood.kernel.schema import Count, View


class ActivityMetrics(View):
    """Activity in a period."""

    created: int = Field(description="Leads created and not deleted. Above 50,000: including leads deleted later.")
    enriched: int = Field(description="Enrichments completed, including repeated ones of a lead.")
    failed: int = Field(description="Enrichments failed after all attempts.")
    latency_p50: float | None = Field(description="Median time to enrich, in seconds.")
    latency_p95: float | None = Field(description="95th percentile of the time to enrich, in seconds.")


class ActivityPoint(ActivityMetrics):
    """Activity in one hour or day."""

    starts_at: datetime
    ends_at: datetime


class ActivityView(View):
    """Hourly or daily activity, oldest first; the last period is incomplete."""

    span: TimeRange
    time_zone: str
    counted_until: datetime = Field(description="Metrics are complete up to this time.")
    points: list[ActivityPoint]
    total: ActivityMetrics


class OverviewView(View):
    """Dashboard summary of the workspace."""

    leads: Count = Field(description="Number of leads. Above 10,000: as of the last hour plus leads created since.")
    created_today: int = Field(
        description="Leads created since midnight in the requested time zone and not deleted. Above 50,000: including "
        "leads deleted later."
    )
    enriched_today: int = Field(description="Enrichments completed since midnight, including repeated ones of a lead.")
    failed_today: int = Field(description="Enrichments failed after all attempts since midnight.")
    in_flight: Count = Field(description="Leads being enriched, counted up to 10,000.")
    failed: Count = Field(description="Leads whose enrichment failed, counted up to 10,000.")
    oldest_waiting_at: datetime | None = Field(description="Creation time of the lead that has been waiting longest.")
    counted_until: datetime = Field(description="Today's metrics are complete up to this time.")


class MetricInfo(View):
    """A metric."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "leads.created",
                    "label": "Leads created",
                    "help": "Leads created, including those deleted since.",
                }
            ]
        }
    )

    name: str
    label: str
    help: str


class MetricInfos(View):
    """The metrics that the caller may read, by name."""

    items: list[MetricInfo]


class MetricPoint(View):
    """The value of a metric in one hour or day."""

    starts_at: datetime
    ends_at: datetime
    value: int


class MetricView(MetricInfo):
    """Hourly or daily values of a metric, oldest first; the last period is incomplete."""

    model_config = ConfigDict(json_schema_extra={"examples": []})

    span: TimeRange
    time_zone: str
    counted_until: datetime | None = Field(
        description="Values are complete up to this time; null before the first count."
    )
    points: list[MetricPoint]
    total: int
