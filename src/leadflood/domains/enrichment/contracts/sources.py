"""Sources in the API: their declaration, their state, and what they answered in the last 24 hours."""

from datetime import datetime

from pydantic import ConfigDict, Field

from leadflood.domains.enrichment.contracts.source_settings import ProviderView
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.source_health import SourceState
from leadflood.domains.enrichment.models.sources import Speed
from leadflood.kernel.schema import View


class FieldShare(View):
    """Share of answers that had a value of a field."""

    field: str
    found: int
    answers: int = Field(description="Answers with any value, or with none.")
    share: float = Field(ge=0, le=1)


class SourceHour(View):
    """Questions of an hour."""

    starts_at: datetime
    found: int
    other: int = Field(description="Nothing found, not possible, or asked again later.")
    failed: int = Field(description="Not reached, or failed.")
    seconds_p50: float | None
    seconds_p95: float | None


class SourceView(View):
    """A source. Numbers are of the workspace, of the last 24 hours; stored answers don't count.

    `state` is of the installation: `working`, `failing`, `limited` (asked as often as it permits, until `until`),
    `unavailable` (failed several times in a row, asked again at `until`), `blocked` (only another key helps), `idle`
    (not asked), or `off` (needs a key that the workspace has not set, or is not enabled). Of a source with a key, it is
    of that key.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "wikidata",
                    "label": "Wikidata",
                    "version": "1",
                    "subject": "company",
                    "speed": "network",
                    "state": "unavailable",
                    "reason": "query.wikidata.org has a problem of its own (error 503).",
                    "until": "2026-03-01T09:34:00Z",
                    "rateCalls": 30,
                    "rateSeconds": 60.0,
                    "questions": 12,
                    "answered": 7,
                    "outcomes": {"found": 4, "missed": 3, "away": 5},
                    "secondsP50": 0.41,
                    "secondsP95": 1.9,
                    "fields": [{"field": "founded", "found": 4, "answers": 7, "share": 0.5714}],
                    "hours": [
                        {
                            "startsAt": "2026-03-01T09:00:00Z",
                            "found": 4,
                            "other": 3,
                            "failed": 5,
                            "secondsP50": 0.41,
                            "secondsP95": 1.9,
                        }
                    ],
                    "costMicros": 0,
                    "costPerHitMicros": None,
                    "provider": None,
                }
            ]
        }
    )

    name: str
    label: str
    version: str
    subject: SubjectKind
    speed: Speed
    state: SourceState
    reason: str = Field(description="Reason for the state, empty if it works.")
    until: datetime | None
    rate_calls: int | None = Field(description="Calls that it permits in `rateSeconds`, by all workers together.")
    rate_seconds: float | None
    questions: int
    answered: int
    outcomes: dict[str, int]
    seconds_p50: float | None
    seconds_p95: float | None
    fields: list[FieldShare]
    hours: list[SourceHour]
    cost_micros: int = Field(description="Of all answers, in millionths of the workspace's currency.")
    cost_per_hit_micros: int | None = Field(
        description="For each answer with a value. Null: there was none, or no cost."
    )
    provider: ProviderView | None = Field(description="Of a source that the workspace sets up.")


class SourcesView(View):
    """The sources that workers ask, in their order of precedence, and those that the workspace sets up."""

    items: list[SourceView]
