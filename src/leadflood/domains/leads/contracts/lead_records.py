"""Stored leads, for other domains."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from leadflood.kernel.db.pool import Row


@dataclass(frozen=True, slots=True)
class LeadDetails:
    """The stored values of an active lead. `email_norm` is the normalized address."""

    id: UUID
    email: str
    email_norm: str
    first_name: str | None
    last_name: str | None
    company: str | None
    job_title: str | None
    phone: str | None
    website: str | None
    country: str | None

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row that has at least these columns."""
        return cls(*(row[name] for name in cls.__match_args__))


@dataclass(frozen=True, slots=True)
class StoredLead(LeadDetails):
    """A lead with all values that a merge needs. `deleted_at`: None for an active one."""

    source: str
    owner_id: UUID | None
    custom_fields: Mapping[str, Any]
    status: str
    version: int
    deleted_at: datetime | None
