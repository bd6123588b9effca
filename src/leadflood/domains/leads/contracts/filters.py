"""Which leads a list shows and in what order, as people and programs write it down."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field, PlainSerializer, Strict

from leadflood.domains.leads.contracts import Country, OwnerId, Source
from leadflood.domains.leads.models import LeadStatus
from leadflood.kernel.schema import Schema
from leadflood.kernel.timestamps import Timestamp

MAX_CHOICES = 20
MAX_SEARCH = 200


class LeadSort(StrEnum):
    """Sort field; prefix `-` for descending."""

    CREATED = "createdAt"
    NEWEST = "-createdAt"
    UPDATED = "updatedAt"
    LATEST = "-updatedAt"
    EMAIL = "email"
    EMAIL_REVERSED = "-email"

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.value.startswith("-")

    @property
    def column(self) -> str:
        """The column of `leads` that is sorted by."""
        return {"createdAt": "created_at", "updatedAt": "updated_at", "email": "email_norm"}[self.value.lstrip("-")]


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads are meant: those that meet all of it. Empty choices mean any. Times: from inclusive, until exclusive.

    `owner_id` of None means any owner, `unowned` those without one.
    """

    q: str | None = None
    statuses: tuple[LeadStatus, ...] = ()
    sources: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    owner_id: UUID | None = None
    unowned: bool = False
    has_phone: bool | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    updated_from: datetime | None = None
    updated_until: datetime | None = None


_Status = Annotated[LeadStatus, Strict(strict=False)]
_Time = Annotated[Timestamp, PlainSerializer(datetime.isoformat, return_type=str, when_used="json")]


class LeadQuery(Schema):
    """Filter for leads, like the query parameters of the list."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"q": "acme", "status": ["failed", "new"], "unowned": True}]}
    )

    q: Annotated[str, Field(max_length=MAX_SEARCH)] | None = None
    status: Annotated[list[_Status], Field(max_length=len(LeadStatus))] = Field(default_factory=list)
    source: Annotated[list[Source], Field(max_length=MAX_CHOICES)] = Field(default_factory=list)
    country: Annotated[list[Country], Field(max_length=MAX_CHOICES)] = Field(default_factory=list)
    owner_id: OwnerId | None = None
    unowned: bool = False
    has_phone: bool | None = None
    created_from: _Time | None = None
    created_until: _Time | None = None
    updated_from: _Time | None = None
    updated_until: _Time | None = None

    def only(self) -> LeadFilter:
        """The filter that this writes down."""
        return LeadFilter(
            q=self.q,
            statuses=tuple(self.status),
            sources=tuple(self.source),
            countries=tuple(self.country),
            owner_id=self.owner_id,
            unowned=self.unowned,
            has_phone=self.has_phone,
            created_from=self.created_from,
            created_until=self.created_until,
            updated_from=self.updated_from,
            updated_until=self.updated_until,
        )
