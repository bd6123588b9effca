"""Contracts of profiles and their versions."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from leadflood.domains.icps.contracts.bodies import ProfileBody
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import line

MAX_ICPS = 20
"""Profiles of one workspace."""
IcpName = Annotated[str, line(100)]
_BODY: JsonDict = {
    "groups": [
        {
            "name": "Company",
            "cap": 60,
            "criteria": [
                {
                    "key": "size",
                    "label": "50 to 500 employees",
                    "test": {"field": "company.employees", "between": [50, 500]},
                    "points": 25,
                }
            ],
        }
    ],
    "tiers": [{"name": "A", "atLeast": 20}, {"name": "B"}],
}


class CreateIcp(Schema):
    """A profile with its first draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "B2B software", "body": _BODY}]})

    name: IcpName
    body: ProfileBody


class UpdateIcp(Schema):
    """New name of a profile, or that it is the main one, whose scores lists show."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "B2B software, Europe"}]})

    name: IcpName | None = None
    main: Literal[True] | None = None


class SaveDraft(Schema):
    """The body of the draft, whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"body": _BODY}]})

    body: ProfileBody


class Publish(Schema):
    """The version to publish: the draft, or a former version to roll back to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"number": 1}]})

    number: Annotated[int, Field(ge=1)]


class VersionRef(View):
    """A version of a profile."""

    id: UUID
    number: int
    state: Literal["draft", "publishing", "live", "superseded"]
    changed_at: datetime
    published_at: datetime | None = Field(description="When it was live first.")
    job_id: UUID | None = Field(description="Of its publication.")
    scored: int = Field(description="Number of leads that its publication has scored.")


class VersionView(VersionRef):
    """A version with its body."""

    body: ProfileBody


class VersionList(View):
    """Versions, newest first."""

    items: list[VersionRef]


class IcpView(View):
    """A profile. `version` is the value for `If-Match`."""

    id: UUID
    name: str
    main: bool = Field(description="Whether lists show its scores.")
    live: VersionRef | None
    draft: VersionRef | None
    publishing: VersionRef | None
    version: int
    created_at: datetime
    updated_at: datetime


class IcpList(View):
    """The profiles of the workspace: the main one, then by name."""

    items: list[IcpView]


class TierCount(View):
    """Leads in a tier. `tier`: null: excluded."""

    tier: str | None
    leads: int


class ScoreBucket(View):
    """Leads with scores from `at` up to 9 more, in a tier."""

    at: int
    tier: str | None
    leads: int


class Movement(View):
    """Leads that move between tiers. `null`: excluded."""

    before: str | None
    after: str | None
    leads: int


class Preview(View):
    """Effect of a version on the leads. Movements are those from the live version."""

    leads: int = Field(description="Number of leads that were scored.")
    total: int = Field(description="Number of leads.")
    exact: bool = Field(description="False if `leads` is a sample.")
    tiers: list[TierCount]
    histogram: list[ScoreBucket]
    unsure: int = Field(description="Leads whose tier could change once more is known.")
    movements: list[Movement]


class ScoreRow(View):
    """A lead with its score."""

    lead_id: UUID
    score: int
    lo: int
    hi: int
    tier: str | None
    worst: str | None
    best: str | None
    excluded_by: str | None
    known: int
    scored_at: datetime


class LeadScoreRef(View):
    """The score of a lead by the live version of a profile."""

    icp_id: UUID
    name: str
    main: bool
    score: int
    lo: int
    hi: int
    tier: str | None
    excluded: bool


class LeadScores(View):
    """The scores of a lead: by the main profile, then by name."""

    items: list[LeadScoreRef]
