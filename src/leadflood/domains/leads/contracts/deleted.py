"""Filters and output of deleted leads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.filters import MAX_SEARCH
from leadflood.domains.leads.values import OwnerId
from leadflood.kernel.schema import Schema, View


@dataclass(frozen=True, slots=True)
class DeletedFilter:
    """Filter for deleted leads; all conditions must match."""

    q: str | None = None
    changeset_id: UUID | None = None


class DeletedQuery(Schema):
    """Filter for deleted leads, like the query parameters of the list. `{}` matches all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"changesetId": "0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10"}]})

    q: Annotated[str, Field(max_length=MAX_SEARCH)] | None = Field(
        default=None, description="Search in name, email and company."
    )
    changeset_id: OwnerId | None = Field(default=None, description="Leads deleted by this changeset or by its undo.")

    def deleted_filter(self) -> DeletedFilter:
        """The filter as verbs take it."""
        return DeletedFilter(self.q, self.changeset_id)


class MergedIntoView(View):
    """The merge of a lead into another."""

    merge_id: UUID
    survivor_id: UUID
    survivor_email: str


class DeletedLeadView(View):
    """A deleted lead: who deleted it, when, and until when it can be restored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10",
                    "email": "ada.lovelace@acme.com",
                    "firstName": "Ada",
                    "lastName": "Lovelace",
                    "company": "Acme",
                    "deletedAt": "2026-03-01T09:30:00Z",
                    "deletedBy": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "restorableUntil": "2026-03-31T09:30:00Z",
                    "changesetId": "0197a3b0-6e4c-7cc3-98c8-2f1d5a7b9e10",
                    "byUndo": False,
                    "mergedInto": None,
                }
            ]
        }
    )

    id: UUID
    email: str
    first_name: str | None
    last_name: str | None
    company: str | None
    deleted_at: datetime
    deleted_by: ActorView | None
    restorable_until: datetime = Field(description="After this the lead is purged.")
    changeset_id: UUID | None = Field(description="Changeset that deleted it; null if it was deleted individually.")
    by_undo: bool = Field(description="Whether the undo of the changeset deleted it.")
    merged_into: MergedIntoView | None = Field(
        description="Set if the lead was merged into another one: undo the merge to restore it."
    )
