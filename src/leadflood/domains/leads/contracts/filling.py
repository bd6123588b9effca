"""Values of other domains for empty fields of a lead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.leads.contracts import UpdateLead


@dataclass(frozen=True, slots=True)
class FieldFilling:
    """Values to write. `found_by`: the source of each, by the name of its field in the database."""

    values: UpdateLead
    found_by: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FoundFilling:
    """Normalized values for findable fields of one of many leads, and their sources, by the fields in the database."""

    values: Mapping[str, str]
    found_by: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FilledFields:
    """The written fields by name in the API, the changeset if there are any, and the version of the lead."""

    fields: Sequence[str]
    changeset_id: UUID | None
    version: int
