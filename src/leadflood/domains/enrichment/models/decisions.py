"""Decisions of people about the found values of a lead or company. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self
from uuid import UUID

from leadflood.domains.enrichment.models.fact_fields import FactField, FactType, FactValue, SubjectKind


class Decision(StrEnum):
    """A decision about a value. Stored in timelines and the audit log.

    `PINNED`: it stays the choice. `CORRECTED`: a value of a person's own, which stays the choice. `REJECTED`: this
    value of this source is not chosen again.
    """

    PINNED = "pinned"
    UNPINNED = "unpinned"
    CORRECTED = "corrected"
    CORRECTION_REMOVED = "correction_removed"
    REJECTED = "rejected"
    REJECTION_REMOVED = "rejection_removed"


_MAX_DIGITS: Final = 15
UNDONE: Final = "undone"
"""In timelines: a decision was undone."""


_YES_NO: Final = {"true": True, "yes": True, "false": False, "no": False}


def typed(field: FactField, text: str) -> FactValue:
    """The value that a person means by a text. The field decides whether it is one."""
    plain = text.strip()
    if field.type is FactType.BOOLEAN:
        return _YES_NO.get(plain.lower(), plain)
    if field.type in (FactType.INTEGER, FactType.YEAR):
        digits = plain.replace(",", "").replace(" ", "")
        return int(digits) if digits.isdecimal() and len(digits) <= _MAX_DIGITS else plain
    return plain


@dataclass(frozen=True, slots=True)
class Subject:
    """A lead or a company."""

    kind: SubjectKind
    id: UUID

    @property
    def lead_id(self) -> UUID | None:
        """Its ID, if it is a lead."""
        return self.id if self.kind is SubjectKind.LEAD else None

    @property
    def company_id(self) -> UUID | None:
        """Its ID, if it is a company."""
        return self.id if self.kind is SubjectKind.COMPANY else None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A value that is not chosen: of a field and a source, by its key."""

    field: str
    source: str
    key: str


@dataclass(frozen=True, slots=True)
class FieldDecisions:
    """All decisions about a field of a subject, as an undo restores them. As JSON, so that two states can be compared.

    Attributes:
        pins: choices that people made.
        corrections: lookups with a correction that counts.
        rejected: values that are not chosen.
    """

    pins: Sequence[Mapping[str, Any]]
    corrections: Sequence[str]
    rejected: Sequence[Mapping[str, Any]]

    @property
    def stored(self) -> dict[str, Any]:
        """The decisions, as JSON."""
        return {"pins": [*self.pins], "corrections": [*self.corrections], "rejected": [*self.rejected]}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The decisions of JSON."""
        return cls(stored["pins"], stored["corrections"], stored["rejected"])
