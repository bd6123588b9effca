"""Inputs and outputs of duplicates."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, Strict

from leadflood.domains.duplicates.models import (
    CandidateStatus,
    MergeRunStatus,
    MergeSide,
    MergeStatus,
    ReasonKind,
    ScanStatus,
)
from leadflood.domains.leads.catalog import CUSTOM_FIELD, MERGEABLE_FIELDS
from leadflood.domains.leads.contracts import LEAD_EXAMPLE, ActorView, LeadView
from leadflood.kernel.field_types import check_field_key
from leadflood.kernel.schema import Count, Schema, View
from leadflood.kernel.text import FromText, InvalidValue

_SURVIVOR = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"
_OTHER = "0197a3b0-6a1f-7d02-8e55-0c1b2a3d4e5f"
_USER = "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"
_LEAD = {**LEAD_EXAMPLE, "id": _SURVIVOR}

MERGED_FIELDS = {field.api_name: field.name for field in MERGEABLE_FIELDS}
"""Fields that can be chosen in a merge, besides custom fields, with their columns."""
_MAX_FIELDS = 200


def check_merge_field(text: str) -> str:
    """The name of a field that a merge chooses between. Raises: InvalidValue."""
    if text.startswith(CUSTOM_FIELD):
        check_field_key(text.removeprefix(CUSTOM_FIELD))
    elif text not in MERGED_FIELDS:
        message = f"Name one of {', '.join(MERGED_FIELDS)}, or customFields. and a key."
        raise InvalidValue(message, "unknown_field")
    return text


class ReasonView(View):
    """A match between two leads."""

    kind: ReasonKind
    similarity: float = Field(ge=0, le=1, description="Similarity, 0 to 1; 1 means identical.")
    field: str | None = Field(
        default=None, description="With `similar_field`: which field, such as `jobTitle` or `customFields.birthday`."
    )


class DuplicateView(View):
    """Two leads that are probably the same person, the older one first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3c0-0a1b-7c2d-8e3f-405162738495",
                    "score": 95,
                    "reasons": [{"kind": "same_mailbox", "similarity": 1.0, "field": None}],
                    "status": "open",
                    "leads": [_LEAD, {**_LEAD, "id": _OTHER, "email": "ada.lovelace+news@acme.com"}],
                    "createdAt": "2026-03-01T09:30:00Z",
                    "updatedAt": "2026-03-01T09:30:00Z",
                }
            ]
        }
    )

    id: UUID
    score: int = Field(ge=0, le=100, description="Likelihood that they are the same person.")
    reasons: list[ReasonView]
    status: CandidateStatus
    leads: list[LeadView]
    created_at: datetime
    updated_at: datetime


class ScanView(View):
    """A duplicate scan of leads changed since the previous one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3c0-0a1b-7c2d-8e3f-405162738495",
                    "status": "running",
                    "jobId": "0197a3b0-5e4d-7a01-8b52-6c0e4f3d2a11",
                    "scanned": 40000,
                    "found": 120,
                    "createdAt": "2026-03-01T09:30:00Z",
                    "finishedAt": None,
                }
            ]
        }
    )

    id: UUID
    status: ScanStatus
    job_id: UUID | None
    scanned: int = Field(description="Leads compared so far.")
    found: int = Field(description="Pairs added or updated.")
    created_at: datetime
    finished_at: datetime | None


class MergeLeads(Schema):
    """Two leads to merge.

    The survivor keeps its ID and email; to keep the other email, make the other lead the survivor. Fields that aren't
    listed keep the survivor's value, or get the other's value if the survivor has none.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "survivorId": _SURVIVOR,
                    "otherId": _OTHER,
                    "fields": {"jobTitle": "other", "customFields.plan": "survivor"},
                }
            ]
        }
    )

    survivor_id: Annotated[UUID, Strict(strict=False)]
    other_id: Annotated[UUID, Strict(strict=False)]
    fields: Annotated[
        dict[
            Annotated[
                str,
                FromText(
                    check_merge_field,
                    {"pattern": f"^({'|'.join(MERGED_FIELDS)}|customFields\\.[A-Za-z][A-Za-z0-9_]{{0,63}})$"},
                ),
            ],
            Annotated[MergeSide, Strict(strict=False)],
        ],
        Field(max_length=_MAX_FIELDS, json_schema_extra={"additionalProperties": False}),
    ] = Field(default_factory=dict, description="Which lead's value to keep, by field.")
    survivor_version: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="The version you last read; a different current version returns 412."
    )
    other_version: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Like `survivorVersion`, for the other lead."
    )


class KeptView(View):
    """A field that an undo kept because it was edited since."""

    lead_id: UUID
    fields: list[str]


class MergeView(View):
    """A merge of two leads, and whether it was undone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3c1-0a1b-7c2d-8e3f-405162738495",
                    "survivorId": _SURVIVOR,
                    "otherId": _OTHER,
                    "otherEmail": "ada.lovelace+news@acme.com",
                    "otherDeleted": False,
                    "status": "undone",
                    "changesetId": "0197a3c1-0a1c-7001-9e3f-405162738495",
                    "fieldsFromOther": ["jobTitle"],
                    "moved": {"runs": 1, "values": 6, "jobs": 1, "duplicates": 0},
                    "keptFields": [{"leadId": _SURVIVOR, "fields": ["company"]}],
                    "actor": {"kind": "user", "id": _USER},
                    "undoneBy": {"kind": "user", "id": _USER},
                    "createdAt": "2026-03-01T09:30:00Z",
                    "undoneAt": "2026-03-02T10:00:00Z",
                }
            ]
        }
    )

    id: UUID
    survivor_id: UUID
    other_id: UUID
    other_email: str
    other_deleted: bool = Field(
        description="True while the leads are merged. After an undo, true if the other lead has been deleted "
        "since, or its creation was undone."
    )
    status: MergeStatus
    changeset_id: UUID
    fields_from_other: list[str] = Field(description="Fields with a value from the other lead.")
    moved: dict[str, int] = Field(
        description="What was moved to the survivor, by kind, such as enrichment `runs` and `values`, `jobs`, and"
        " `duplicates`."
    )
    kept_fields: list[KeptView] = Field(description="Fields that an undo kept, by lead.")
    actor: ActorView
    undone_by: ActorView | None
    created_at: datetime
    undone_at: datetime | None


class MergeCertain(Schema):
    """The number of certain pairs that the caller expects: if there are more, nothing is merged."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expectedCount": 120}]})

    expected_count: Annotated[int, Field(ge=0, le=1_000_000_000)]


class MergeRunView(View):
    """A merge of all certain pairs, and how far it is."""

    id: UUID
    status: MergeRunStatus
    job_id: UUID
    total: int
    merged: int
    skipped: int
    undone: int
    kept: int
    error: str | None
    actor: ActorView
    created_at: datetime
    finished_at: datetime | None


class PairCounts(View):
    """Numbers of pairs to review: all, and the certain ones among them."""

    open: Count
    certain: Count


class DecisionKind(StrEnum):
    """Kind of decision."""

    MERGE = "merge"
    DISMISSAL = "dismissal"
    RUN = "run"


class DecisionView(View):
    """A decision on a pair, or on all certain ones.

    `names`: emails of the leads, the survivor first. `undoable`: whether it can be undone now.
    """

    kind: DecisionKind
    id: UUID
    names: list[str]
    count: int
    undoable: bool
    undone: bool
    actor: ActorView | None
    at: datetime
