"""Inputs and outputs of the export and the erasure of personal data."""

from datetime import datetime
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue

from leadflood.domains.leads.values import Email
from leadflood.kernel.schema import Schema, View

_LEAD = "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"


class PersonByAddress(Schema):
    """The person, by email."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada.lovelace@acme.com"}]})

    email: Email


class EraseLead(Schema):
    """Options of an erasure."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dryRun": True}]})

    dry_run: bool = Field(default=False, description="List what would be erased, without changes.")


class ErasePerson(PersonByAddress):
    """The person, by email, and whether to only list what would be erased."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada.lovelace@acme.com", "dryRun": True}]})

    dry_run: bool = Field(default=False, description="List what would be erased, without changes.")


class PlaceView(View):
    """A kind of data about the person."""

    name: str = Field(description="Such as `leads`, `timeline` or `importRows`.")
    rows: int = Field(description="Number of rows that are deleted or redacted.")


class ErasureView(View):
    """Data that was erased, or would be."""

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
    lead_ids: list[UUID] = Field(description="The person's leads, including deleted and merged ones.")
    places: list[PlaceView] = Field(description="Where data of the person is stored, with the number of rows.")
    erased_at: datetime | None = Field(description="Null for dry runs.")


class PersonalDataView(View):
    """All stored data about a person."""

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

    lead_ids: list[UUID] = Field(description="The person's leads, including deleted and merged ones.")
    places: dict[str, list[dict[str, JsonValue]]] = Field(
        description="The rows of each place, with their database column names."
    )

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(map(len, self.places.values()))
