"""Stored leads, for other domains."""

from collections.abc import Mapping
from dataclasses import dataclass, make_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from leadflood.domains.leads.catalog import LEAD_FIELDS, LeadFields
from leadflood.kernel.db.pool import Row

if TYPE_CHECKING:  # what the catalog declares

    @dataclass(frozen=True, slots=True)
    class _Stored(LeadFields):
        id: UUID
        email_norm: str

else:
    _Stored = make_dataclass(
        "_Stored", ["id", "email_norm", *(field.name for field in LEAD_FIELDS)], frozen=True, slots=True
    )


class LeadDetails(_Stored):
    """The stored fields of an active lead. `email_norm` is the normalized address."""

    __slots__ = ()

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row that has at least these columns."""
        return cls(*(row[name] for name in cls.__match_args__))


@dataclass(frozen=True, slots=True)
class StoredLead(LeadDetails):
    """A lead with all values that a merge needs. `deleted_at`: None for an active one."""

    custom_fields: Mapping[str, Any]
    status: str
    version: int
    deleted_at: datetime | None
