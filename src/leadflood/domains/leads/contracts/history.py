"""Output of a lead's field history."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.models import FieldSource
from leadflood.kernel.schema import View


class FieldChangeView(View):
    """A changed field."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "field": "customFields.plan",
                    "oldValue": "Free",
                    "newValue": "Pro",
                    "at": "2026-03-01T09:30:00Z",
                    "actor": {"kind": "user", "id": "0197a3a9-1c2b-7f60-a4d3-90b1c2d3e4f5"},
                    "source": "edit",
                    "changesetId": None,
                    "foundBy": None,
                }
            ]
        }
    )

    field: str = Field(description="Its name in the API; of a custom field `customFields.` and its key.")
    old_value: JsonValue = Field(description="Null where there was none.")
    new_value: JsonValue = Field(description="Null where it was cleared.")
    at: datetime
    actor: ActorView
    source: FieldSource = Field(description="What changed it.")
    changeset_id: UUID | None = Field(description="The changeset that it was part of.")
    found_by: str | None = Field(default=None, description="The source whose value the actor accepted.")
