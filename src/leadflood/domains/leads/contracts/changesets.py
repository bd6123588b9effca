"""Inputs and outputs of changesets."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.models import Change, ChangesetKind, ChangesetStatus
from leadflood.kernel.schema import View


class ChangesetView(View):
    """Changes that were made together and can be undone together."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10",
                    "kind": "bulk",
                    "subject": "lead",
                    "label": "Set owner",
                    "status": "undone",
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "jobId": None,
                    "total": 120,
                    "processed": 120,
                    "created": 0,
                    "updated": 117,
                    "deleted": 0,
                    "restored": 0,
                    "reverted": 116,
                    "keptFields": 1,
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
    subject: str = Field(description="Kind of the changed records, such as `lead`.")
    label: str
    status: ChangesetStatus
    actor: ActorView
    job_id: UUID | None = Field(description="Background job that applies or undoes it, if it is large.")
    total: int = Field(description="Total number of leads.")
    processed: int = Field(description="Number of leads processed.")
    created: int
    updated: int
    deleted: int
    restored: int
    reverted: int = Field(description="Number of leads reverted by the undo so far.")
    kept_fields: int = Field(
        description="Number of fields kept by the undo. A lead kept because of a merge counts as one."
    )
    kept_leads: int = Field(description="Number of leads with kept fields.")
    undone_by: ActorView | None
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    undo_until: datetime | None = Field(default=None, description="Null if it can't be undone or already was.")
    import_id: UUID | None = Field(default=None, description="Import that created it.")
    merge_id: UUID | None = Field(default=None, description="Merge it belongs to.")

    def dated(self, retention_days: int) -> Self:
        """The same with `undo_until`."""
        undoable = self.status is ChangesetStatus.APPLIED and self.changed and self.applied_at is not None
        until = self.applied_at + timedelta(days=retention_days) if undoable and self.applied_at else None
        return self.model_copy(update={"undo_until": until})

    @property
    def changed(self) -> int:
        """Number of changed leads."""
        return self.created + self.updated + self.deleted + self.restored


class KeptReason(StrEnum):
    """Reason why an undo kept a lead or some of its fields."""

    EDITED = "edited"
    ADDRESS_TAKEN = "address_taken"
    MERGED = "merged"
    MERGED_INTO = "merged_into"

    @classmethod
    def of(cls, change: Change, kept: list[str]) -> "KeptReason":
        """The reason of a stored conflict."""
        if change is Change.DELETED and "email" in kept:
            return cls.ADDRESS_TAKEN
        return next((reason for reason in (cls.MERGED, cls.MERGED_INTO) if reason in kept), cls.EDITED)


class KeptLeadView(View):
    """A lead that an undo did not fully revert."""

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
        description="`edited`: these fields were edited since. `address_taken`: another lead has the email. "
        "`merged`: another lead was merged into it. `merged_into`: it was merged into another lead; "
        "it is deleted when that merge is undone."
    )
    fields: list[str] = Field(description="Fields that were kept, as named in the timeline.")
