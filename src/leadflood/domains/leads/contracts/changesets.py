"""Changesets as the border shows them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.models import Change, ChangesetKind, ChangesetStatus
from leadflood.kernel.contract import View


class ChangesetView(View):
    """Changes that were made together and can be taken back together."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10",
                    "kind": "bulk",
                    "label": "Set owner",
                    "status": "undone",
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "jobId": None,
                    "wanted": 120,
                    "done": 120,
                    "created": 0,
                    "updated": 117,
                    "deleted": 0,
                    "restored": 0,
                    "undone": 116,
                    "kept": 1,
                    "keptLeads": 1,
                    "undoneBy": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "createdAt": "2026-03-01T09:30:00Z",
                    "appliedAt": "2026-03-01T09:30:00Z",
                    "undoneAt": "2026-03-01T09:31:10Z",
                    "undoUntil": None,
                    "importId": None,
                    "mergeId": None,
                }
            ]
        }
    )

    id: UUID
    kind: ChangesetKind
    label: str
    status: ChangesetStatus
    actor: ActorView
    job_id: UUID | None = Field(description="The job that writes or undoes it, where it is large.")
    wanted: int = Field(description="How many leads it was to go through.")
    done: int = Field(description="How many of them it has gone through.")
    created: int
    updated: int
    deleted: int
    restored: int
    undone: int = Field(description="How many leads the undo has put back so far.")
    kept: int = Field(description="How many fields the undo left as they are. A lead kept for a merge counts as one.")
    kept_leads: int = Field(description="How many leads these fields belong to.")
    undone_by: ActorView | None
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    undo_until: datetime | None = Field(default=None, description="Null if it cannot be undone, or is undone already.")
    import_id: UUID | None = Field(default=None, description="The import that wrote it.")
    merge_id: UUID | None = Field(default=None, description="The merge that it is part of.")

    def dated(self, retention_days: int) -> Self:
        """The same with `undo_until`."""
        undoable = self.status is ChangesetStatus.APPLIED and self.changed and self.applied_at is not None
        until = self.applied_at + timedelta(days=retention_days) if undoable and self.applied_at else None
        return self.model_copy(update={"undo_until": until})

    @property
    def changed(self) -> int:
        """How many leads it changed."""
        return self.created + self.updated + self.deleted + self.restored


class KeptReason(StrEnum):
    """Why an undo left a lead, or some of its fields, as they are."""

    EDITED = "edited"
    ADDRESS_TAKEN = "address_taken"
    MERGED = "merged"
    MERGED_INTO = "merged_into"

    @classmethod
    def of(cls, change: Change, kept: list[str]) -> "KeptReason":
        """The reason for what is stored as kept."""
        if change is Change.DELETED and "email" in kept:
            return cls.ADDRESS_TAKEN
        return next((reason for reason in (cls.MERGED, cls.MERGED_INTO) if reason in kept), cls.EDITED)


class KeptLeadView(View):
    """A lead that an undo did not put back entirely, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "leadId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "email": "ada.lovelace@acme.com",
                    "change": "updated",
                    "reason": "edited",
                    "fields": ["company"],
                }
            ]
        }
    )

    lead_id: UUID
    email: str
    change: Change
    reason: KeptReason = Field(
        description="`edited`: these fields were edited since. `address_taken`: another lead has the address now."
        " `merged`: another lead was merged into it since. `merged_into`: it was merged into another lead since; it is"
        " deleted when that merge is undone."
    )
    fields: list[str] = Field(description="The fields that were kept, as the timeline names them.")
