"""Figures as the API shows them."""

from datetime import datetime

from pydantic import Field

from leadflood.domains.figures.models import Span
from leadflood.kernel.contract import Count, View


class ActivityFigures(View):
    """What happened in a part of time."""

    created: int = Field(description="Leads that came in, later deleted ones included.")
    enriched: int = Field(description="Enrichments that were completed.")
    failed: int = Field(description="Enrichments that failed for good.")
    latency_p50: float | None = Field(description="Seconds within which half of the completed ones were done.")
    latency_p95: float | None = Field(description="Seconds within which 95 of 100 completed ones were done.")


class ActivityPoint(ActivityFigures):
    """What happened in one hour or day."""

    starts_at: datetime
    ends_at: datetime


class ActivityView(View):
    """A series of hours or days, oldest first; the last one is not over."""

    span: Span
    time_zone: str
    counted_until: datetime = Field(description="Figures are complete up to here.")
    points: list[ActivityPoint]
    total: ActivityFigures


class OverviewView(View):
    """How the workspace is, at a glance."""

    leads: Count = Field(description="Leads that there are. Above 10,000: as of the last hour, and what came in since.")
    created_today: int = Field(description="Leads that came in since midnight in the time zone asked for.")
    enriched_today: int
    failed_today: int
    in_flight: Count = Field(description="Leads whose enrichment waits or runs, counted up to 10,000.")
    failed: Count = Field(description="Leads whose enrichment failed, counted up to 10,000.")
    oldest_waiting_at: datetime | None = Field(description="When the lead came in that waits longest.")
    counted_until: datetime = Field(description="The figures of today are complete up to here.")
