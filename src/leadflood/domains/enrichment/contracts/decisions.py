"""Decisions about found values in the API: pin, correct, reject."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from leadflood.domains.enrichment.contracts import EnrichmentValueView
from leadflood.domains.enrichment.models.decisions import Decision
from leadflood.domains.enrichment.models.fact_fields import FactValue, SubjectKind
from leadflood.kernel.schema import Schema, View
from leadflood.kernel.text import line

_MAX_VALUE = 2000
_MAX_NAME = 100

Value = Annotated[StrictStr, Field(max_length=_MAX_VALUE)] | StrictBool | StrictInt | StrictFloat


class NamedValue(Schema):
    """A found value, as you read it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": "DE"}, {"value": "DE", "source": "website"}]})

    value: Value
    source: Annotated[str, line(_MAX_NAME)] | None = Field(
        default=None, description="Only the value of this source. Default: of all that have it."
    )


class CorrectValue(Schema):
    """A value of your own for a field."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": "DE"}]})

    value: Value


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """A decision about a field. `value`: as read, or of the person's own. `source`: only its value."""

    decision: Decision
    value: FactValue | None = None
    source: str | None = None


class AcceptedFacts(View):
    """Facts of a company that were accepted."""

    id: UUID = Field(description="ID of the company.")
    fields: list[str]
    changeset_id: UUID | None = Field(description="Undoing this changeset reverts it. Null: nothing waited.")


class DecidedField(View):
    """A field after a decision about its values."""

    subject: SubjectKind
    id: UUID = Field(description="ID of the lead or company.")
    field: str
    changeset_id: UUID | None = Field(description="Undoing this changeset reverts the decision. Null: no change.")
    values: list[EnrichmentValueView] = Field(description="All values of the field, best first.")
