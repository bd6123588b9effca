"""What a member leaves behind, as it crosses the border."""

from uuid import UUID

from pydantic import ConfigDict, Field

from leadflood.kernel.contract import View


class Departure(View):
    """What becomes of the things of a member who is removed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"sharedViews": 3, "leads": 120, "changesetId": "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"}]
        }
    )

    shared_views: int = Field(
        description="Views that stay, as the workspace's. Views that were not shared are deleted."
    )
    leads: int = Field(description="Leads that the member owned and that become unassigned.")
    changeset_id: UUID | None = Field(description="Undo it to give the leads back to a member who joined again.")
