"""The export and the erasure of a person's data, as they cross the border."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from leadflood.domains.leads.contracts import Email
from leadflood.kernel.schema import Schema, View

_LEAD = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"


class PersonByAddress(Schema):
    """Whose data is exported: all leads of the workspace with this address, and what names it elsewhere."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada.lovelace@acme.com"}]})

    email: Email


class EraseLead(Schema):
    """Whether to erase, or only to list what would be erased."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dryRun": True}]})

    dry_run: bool = Field(default=False, description="List the places and change nothing.")


class ErasePerson(PersonByAddress):
    """Whom to erase, and whether to do it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada.lovelace@acme.com", "dryRun": True}]})

    dry_run: bool = Field(default=False, description="List the places and change nothing.")


class PlaceView(View):
    """A place with data of a person."""

    name: str = Field(description="Such as `leads`, `timeline` or `importRows`.")
    rows: int = Field(description="How many rows it has: these are removed, or what names the person in them.")


class ErasureView(View):
    """What is erased of a person, or would be."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dryRun": True,
                    "leadIds": [_LEAD],
                    "places": [{"name": "timeline", "rows": 12}, {"name": "leads", "rows": 1}],
                    "erasedAt": None,
                }
            ]
        }
    )

    dry_run: bool
    lead_ids: list[UUID] = Field(description="The leads that are this person, deleted and merged ones included.")
    places: list[PlaceView] = Field(description="Every place that has something of the person.")
    erased_at: datetime | None = Field(description="Null for a dry run.")


class PersonalDataView(View):
    """All that is stored about a person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "leadIds": [_LEAD],
                    "places": {"leads": [{"id": _LEAD, "email": "ada.lovelace@acme.com", "first_name": "Ada"}]},
                }
            ]
        }
    )

    lead_ids: list[UUID] = Field(description="The leads that are this person, deleted and merged ones included.")
    places: dict[str, list[dict[str, JsonValue]]] = Field(
        description="The rows of each place, with the names of their columns in the database."
    )

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.places.values()))
