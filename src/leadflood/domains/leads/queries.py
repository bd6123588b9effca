"""SQL that reads leads and their timeline."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Row,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    select,
    text,
    tuple_,
)

from leadflood.domains.leads.contracts import ActorView, LeadEventView, LeadView
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.models import LeadStatus
from leadflood.domains.leads.tables import lead_events, leads
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.database import Transaction
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.text import search_key


class LeadSort(StrEnum):
    """What a list can be sorted by; `-` in front turns the order round."""

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
    """Which leads a list shows. Times: from inclusive, until exclusive."""

    q: str | None = None
    status: LeadStatus | None = None
    source: str | None = None
    owner_id: UUID | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    updated_from: datetime | None = None
    updated_until: datetime | None = None


# The search runs as a role of its own, because LIKE is not leakproof: see the migration.
_SEARCH = text("""
SELECT * FROM search_leads(:needle, :status, :source, :owner_id, :created_from, :created_until, :updated_from,
                           :updated_until, :sort_column, :descending, :after_time, :after_text, :after_id, :page_size)
""").bindparams(
    bindparam("needle", type_=Text),
    bindparam("status", type_=Text),
    bindparam("source", type_=Text),
    bindparam("owner_id", type_=Uuid),
    bindparam("created_from", type_=DateTime(timezone=True)),
    bindparam("created_until", type_=DateTime(timezone=True)),
    bindparam("updated_from", type_=DateTime(timezone=True)),
    bindparam("updated_until", type_=DateTime(timezone=True)),
    bindparam("sort_column", type_=Text),
    bindparam("descending", type_=Boolean),
    bindparam("after_time", type_=DateTime(timezone=True)),
    bindparam("after_text", type_=Text),
    bindparam("after_id", type_=Uuid),
    bindparam("page_size", type_=Integer),
)


async def get_lead(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadView:
    """Raises: LeadNotFound: also for a deleted lead."""
    row = await tx.first(
        select(leads).where(
            leads.c.workspace_id == actor.workspace_id, leads.c.id == lead_id, leads.c.deleted_at.is_(None)
        )
    )
    if row is None:
        raise LeadNotFound
    return lead_view(row)


async def list_leads(
    tx: Transaction,
    actor: Actor,
    *,
    only: LeadFilter,
    sort: LeadSort = LeadSort.NEWEST,
    after: Position | None = None,
    limit: int,
) -> Page[LeadView]:
    """Living leads. A search (`only.q`) is for a part of name, e-mail or company, in any case and without accents."""
    needle = search_key(only.q) if only.q else ""
    if needle:
        rows = await tx.all(_SEARCH, _search_arguments(only, needle, sort, after, limit))
    else:
        rows = await tx.all(_listing(actor, only, sort, after).limit(limit + 1))
    return cut(rows, limit, lambda row: Position.at(getattr(row, sort.column), row.id)).map(lead_view)


async def list_events(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int
) -> Page[LeadEventView]:
    """The timeline of a lead, newest first. Raises: LeadNotFound."""
    await get_lead(tx, actor, lead_id=lead_id)
    query = select(lead_events).where(
        lead_events.c.workspace_id == actor.workspace_id, lead_events.c.lead_id == lead_id
    )
    if after is not None:
        query = query.where(lead_events.c.id < after.id)
    rows = await tx.all(query.order_by(lead_events.c.id.desc()).limit(limit + 1))
    return cut(rows, limit, lambda row: Position.at(row.at, row.id)).map(_event_view)


def lead_view(row: Row[Any]) -> LeadView:
    """The view of a row of `leads`."""
    return LeadView(
        id=row.id,
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        company=row.company,
        job_title=row.job_title,
        phone=row.phone,
        website=row.website,
        country=row.country,
        source=row.source,
        status=LeadStatus(row.status),
        owner_id=row.owner_id,
        version=row.version,
        custom_fields=row.custom_fields,
        created_at=row.created_at,
        updated_at=row.updated_at,
        enriched_at=row.enriched_at,
        error=row.error,
    )


def _listing(actor: Actor, only: LeadFilter, sort: LeadSort, after: Position | None) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [leads.c.workspace_id == actor.workspace_id, leads.c.deleted_at.is_(None)]
    if only.status is not None:
        conditions.append(leads.c.status == only.status)
    if only.source is not None:
        conditions.append(leads.c.source == only.source)
    if only.owner_id is not None:
        conditions.append(leads.c.owner_id == only.owner_id)
    if only.created_from is not None:
        conditions.append(leads.c.created_at >= only.created_from)
    if only.created_until is not None:
        conditions.append(leads.c.created_at < only.created_until)
    if only.updated_from is not None:
        conditions.append(leads.c.updated_at >= only.updated_from)
    if only.updated_until is not None:
        conditions.append(leads.c.updated_at < only.updated_until)
    column = leads.c[sort.column]
    if after is not None:
        value = after.value if sort.column == "email_norm" else datetime.fromisoformat(after.value)
        row, position = tuple_(column, leads.c.id), tuple_(value, after.id)
        conditions.append(row < position if sort.descending else row > position)
    order = (column.desc(), leads.c.id.desc()) if sort.descending else (column, leads.c.id)
    return select(leads).where(and_(*conditions)).order_by(*order)


def _search_arguments(
    only: LeadFilter, needle: str, sort: LeadSort, after: Position | None, limit: int
) -> dict[str, Any]:
    by_email = sort.column == "email_norm"
    return {
        "needle": needle,
        "status": only.status,
        "source": only.source,
        "owner_id": only.owner_id,
        "created_from": only.created_from,
        "created_until": only.created_until,
        "updated_from": only.updated_from,
        "updated_until": only.updated_until,
        "sort_column": sort.column,
        "descending": sort.descending,
        "after_time": datetime.fromisoformat(after.value) if after and not by_email else None,
        "after_text": after.value if after and by_email else None,
        "after_id": after.id if after else None,
        "page_size": limit + 1,
    }


def _event_view(row: Row[Any]) -> LeadEventView:
    return LeadEventView(
        id=row.id,
        kind=row.kind,
        at=row.at,
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        data=row.data,
    )
