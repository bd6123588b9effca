"""Retractions: what a source wrote in a period is taken for void. Pure.

A retracted value stays as a receipt, and competes no longer. The value that the same source wrote before it does again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, Self, TypeVar
from uuid import UUID

from leadflood.domains.enrichment.models.facts import MANUAL

LEADS_AT_ONCE: Final = 500
"""Leads of which values are retracted in one transaction."""
COMPANIES_AT_ONCE: Final = 100
"""The same for companies, each of which is chosen for by itself."""
UNASKED: Final = 50
"""Values that are retracted without typing their number."""


@dataclass(frozen=True, slots=True)
class RetractionScope:
    """The values to retract: those that a source wrote from `since` until before `until`.

    Attributes:
        field: only of this field. lead_id, company_id: only about these.
    """

    source: str
    since: datetime
    until: datetime
    field: str | None = None
    lead_id: UUID | None = None
    company_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RetractionImage:
    """A subject of a retraction, as its undo needs it.

    Attributes:
        lookups: that have its retracted values.
        pins: choices of them that people had pinned, as JSON.
        others: companies that had chosen them too.
    """

    lookups: Sequence[UUID]
    pins: Sequence[Mapping[str, Any]] = ()
    others: Sequence[UUID] = ()

    @property
    def stored(self) -> dict[str, Any]:
        """The image, as JSON."""
        return {
            "lookups": [str(item) for item in self.lookups],
            "pins": [dict(pin) for pin in self.pins],
            "others": [str(item) for item in self.others],
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The image of JSON."""
        lookups = [UUID(item) for item in stored["lookups"]]
        return cls(lookups, stored["pins"], [UUID(item) for item in stored["others"]])


class HitValue(Protocol):
    """A value of a hit of a source."""

    @property
    def source(self) -> str:
        """Name of the source."""

    @property
    def lookup_id(self) -> UUID:
        """The hit."""

    @property
    def field(self) -> str:
        """Name of the field."""

    @property
    def retraction_id(self) -> UUID | None:
        """None for a value that was not retracted."""


Value = TypeVar("Value", bound=HitValue)


def competing(values: Iterable[Value]) -> list[Value]:
    """The values that compete, of those of all hits about a subject, the hits of each source newest first.

    Those of the latest hit of each source. In place of what was retracted, those of the hit before it: of one whose
    values were all retracted, as if it had not been; of one that keeps some, the retracted fields. Corrections are hits
    of their own, all of which compete.
    """
    by_source: dict[object, dict[UUID, list[Value]]] = {}
    for value in values:
        source = value.lookup_id if value.source == MANUAL else value.source
        by_source.setdefault(source, {}).setdefault(value.lookup_id, []).append(value)
    return [value for hits in by_source.values() for value in _of_source(list(hits.values()))]


def _of_source(hits: Sequence[Sequence[Value]]) -> list[Value]:
    """`hits`: of one source, newest first."""
    found: list[Value] = []
    wanted: set[str] | None = None
    for hit in hits:
        retracted = {value.field for value in hit if value.retraction_id is not None}
        kept = [value for value in hit if value.retraction_id is None]
        if not kept:
            continue
        found += [value for value in kept if wanted is None or value.field in wanted]
        wanted = retracted if wanted is None else wanted & retracted
        if not wanted:
            break
    return found
