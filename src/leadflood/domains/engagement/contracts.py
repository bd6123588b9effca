"""Contracts of engagement."""

from datetime import datetime
from functools import partial
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.engagement.models import (
    MAX_BORDER,
    MAX_HALF_LIFE,
    MAX_KINDS,
    MAX_POINTS,
    EngagementSource,
    normalise_kind,
)
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import FromText, clean_block, clean_line
from leadflood.kernel.timestamps import PastTime

MAX_ENTRIES: Final = 1_000
"""Engagements in one request."""
MAX_NOTE: Final = 500
MAX_KEY: Final = 200

EngagementKind = Annotated[
    str, FromText(normalise_kind, {"minLength": 1, "maxLength": 40, "description": "A short code of your choice."})
]
Points = Annotated[int, Field(ge=-MAX_POINTS, le=MAX_POINTS)]
_Note = Annotated[str, FromText(partial(clean_block, max_length=MAX_NOTE), {"maxLength": MAX_NOTE})]
_Key = Annotated[
    str,
    FromText(
        partial(clean_line, max_length=MAX_KEY),
        {"minLength": 1, "maxLength": MAX_KEY, "description": "ID in another system. Recorded once in the workspace."},
    ),
]
_POINTS: Final = "Default: those of the kind."


class RecordEngagement(Schema):
    """Something that a lead did."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "demo_requested", "at": "2026-03-01T09:30:00Z", "externalKey": "form-4711"}]
        }
    )

    kind: EngagementKind
    points: Points | None = Field(default=None, description=_POINTS)
    at: PastTime | None = Field(default=None, description="When it happened. Default: now.")
    note: _Note | None = None
    external_key: _Key | None = None


class EngagementEntry(Schema):
    """Something that the lead with an email did."""

    email: Annotated[str, Field(min_length=1, max_length=400)]
    kind: EngagementKind
    at: PastTime
    points: Points | None = Field(default=None, description=_POINTS)
    note: _Note | None = None
    external_key: _Key | None = None


class ImportEngagements(Schema):
    """Engagements by email. An invalid entry does not affect others."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"engagements": [{"email": "ada@acme.com", "kind": "email_replied", "at": "2026-03-01", "points": 30}]}
            ]
        }
    )

    engagements: Annotated[list[dict[str, str | int | None]], Field(min_length=1, max_length=MAX_ENTRIES)]


class EngagementView(View):
    """An engagement of a lead. `decayedPoints`: what its points are worth now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-8e4c-7cc3-98c8-2f1d5a7b9e11",
                    "leadId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "kind": "demo_requested",
                    "points": 50,
                    "decayedPoints": 25.0,
                    "at": "2026-03-01T09:30:00Z",
                    "note": None,
                    "externalKey": "form-4711",
                    "source": "api",
                    "recordedBy": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "recordedAt": "2026-03-01T09:30:02Z",
                }
            ]
        }
    )

    id: UUID
    lead_id: UUID
    kind: str
    points: int
    decayed_points: float
    at: datetime
    note: str | None
    external_key: str | None
    source: EngagementSource
    recorded_by: ActorView
    recorded_at: datetime


class EngagementResult(View):
    """Result of an entry. `unchanged`: recorded before. `failed`: see `reason`."""

    email: str | None
    status: Literal["created", "unchanged", "failed"]
    reason: str | None = None


class ImportedEngagements(View):
    """Results in the order of the entries, and their numbers."""

    created: int
    unchanged: int
    failed: int
    results: list[EngagementResult]


class EngagementRef(View):
    """Level and decayed points of a lead now."""

    level: Literal[1, 2, 3]
    points: float
    engagements: int

    @classmethod
    def none(cls) -> Self:
        """The engagement of a lead that did nothing."""
        return cls(level=3, points=0.0, engagements=0)


class LeadEngagementView(View):
    """Level and decayed points of a lead now. `priority`: tier by the main profile and level, such as `A1`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"level": 2, "points": 34.5, "engagements": 4, "priority": "A2"}]}
    )

    level: Literal[1, 2, 3]
    points: float
    engagements: int
    priority: str | None


class EngagementSettings(View):
    """Counting of engagement. `ownPoints`: of kinds that have other points than by default."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "halfLifeDays": 30,
                    "level1From": 50,
                    "level2From": 20,
                    "ownPoints": {"fair_visited": 15},
                    "version": 3,
                }
            ]
        }
    )

    half_life_days: int
    level_1_from: int = Field(alias="level1From", description="Least points of level 1.")
    level_2_from: int = Field(alias="level2From", description="Least points of level 2.")
    own_points: dict[str, int]
    version: int


class UpdateEngagementSettings(Schema):
    """Settings to change. `points`: of kinds; null returns a kind to its default."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"halfLifeDays": 45, "points": {"fair_visited": 15, "page_visited": None}}]}
    )

    half_life_days: Annotated[int, Field(ge=1, le=MAX_HALF_LIFE)] | None = None
    level_1_from: Annotated[int, Field(ge=1, le=MAX_BORDER)] | None = Field(default=None, alias="level1From")
    level_2_from: Annotated[int, Field(ge=1, le=MAX_BORDER)] | None = Field(default=None, alias="level2From")
    points: Annotated[dict[EngagementKind, Points | None], Field(max_length=MAX_KINDS)] | None = None


class MatrixCell(View):
    """Number of leads of a tier and a level. No tier: excluded, or not scored."""

    tier: str | None
    level: Literal[1, 2, 3]
    leads: int


class EngagementMatrix(View):
    """Leads by tier of the main profile and level of engagement: the tiers from the best one, each with all levels."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cells": [{"tier": "A", "level": 1, "leads": 12}]}]})

    cells: list[MatrixCell]
