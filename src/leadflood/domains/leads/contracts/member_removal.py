"""Effects of a member's removal on leads, as input and output of the domain."""

from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.kernel.schema import View


class RemovalImpact(View):
    """The leads and views that are reassigned when a member is removed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"sharedViews": 3, "leads": 120, "changesetId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"}]
        }
    )

    shared_views: int = Field(description="Shared views kept as views of the workspace. Other views are deleted.")
    leads: int = Field(description="Leads that become unassigned.")
    changeset_id: UUID | None = Field(description="Undo this changeset to reassign the leads to a member who rejoined.")
