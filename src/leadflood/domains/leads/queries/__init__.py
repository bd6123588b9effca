"""SQL that reads leads and their timeline."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from leadflood.domains.leads.catalog import FINDABLE_FIELDS, LEAD_FIELDS
from leadflood.domains.leads.columns import LEAD, LEAD_EVENT
from leadflood.domains.leads.contracts import ActorView, LeadEventView, LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.contracts.lead_records import LeadDetails
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.domains.leads.queries.orders import position_of
from leadflood.domains.leads.queries.search import first_rows_of_each, matching_rows
from leadflood.domains.leads.timeline import TIMELINE
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.email_address import EmailAddress
from leadflood.kernel.pagination import Page, Position, cut
from leadflood.kernel.timeline import TimelineRecord

_MAX_CHANGES = 100
_FOUND: Final = {field.name: f"found_{field.name}" for field in FINDABLE_FIELDS}

# An active lead.
_LEAD = assemble(
    sql("SELECT {columns} FROM leads WHERE workspace_id = :workspace_id AND id = :lead_id AND deleted_at IS NULL"),
    columns=LEAD,
)

# The latest entries that led to later versions of a lead, newest first.
_CHANGES_SINCE = assemble(
    sql("""
SELECT {columns} FROM lead_events
WHERE workspace_id = :workspace_id AND lead_id = :lead_id AND (data ->> 'version')::integer > :version
ORDER BY id DESC LIMIT :limit
"""),
    columns=LEAD_EVENT,
)

# Values of those of the leads that are active.
_ACTIVE = assemble(
    sql("""
SELECT id, email_norm, {fields} FROM leads
WHERE workspace_id = :workspace_id AND id = ANY (:lead_ids) AND deleted_at IS NULL
"""),
    fields=LEAD_FIELDS.columns,
)

# Active leads with all of their columns.
_LEADS = assemble(
    sql(
        "SELECT {columns} FROM leads WHERE workspace_id = :workspace_id AND id = ANY(:lead_ids) AND deleted_at IS NULL"
    ),
    columns=LEAD,
)

# The active leads with these addresses.
_IDS_BY_EMAIL = sql("""
SELECT email_norm, id FROM leads
WHERE workspace_id = :workspace_id AND email_norm = ANY (:addresses::text[]) AND deleted_at IS NULL
""")

# A lead, and the leads merged into it and not unmerged. Their last entry about the merge shows that.
_PARTS = sql("""
WITH RECURSIVE parts (lead_id) AS (
    SELECT :lead_id::uuid
    UNION
    SELECT CAST(e.data ->> 'otherId' AS uuid)
    FROM parts CROSS JOIN LATERAL (
        SELECT DISTINCT ON (data ->> 'otherId') kind, data FROM lead_events
        WHERE workspace_id = :workspace_id AND lead_id = parts.lead_id AND kind IN ('lead.merged', 'lead.unmerged')
        ORDER BY data ->> 'otherId', id DESC
    ) e
    WHERE e.kind = 'lead.merged'
)
SELECT lead_id FROM parts
""")


async def get_lead(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadView:
    """Raises: LeadNotFound: also for a deleted lead."""
    row = await tx.first(_LEAD, {"workspace_id": actor.workspace_id, "lead_id": lead_id})
    if row is None:
        raise LeadNotFound
    return lead_view(row)


async def lead_with_email(tx: Transaction, actor: Actor, *, email: EmailAddress) -> UUID | None:
    """ID of the active lead with this email; None if there is none."""
    return (await ids_by_email(tx, actor, addresses=[email.norm])).get(email.norm)


async def active_leads(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> dict[UUID, LeadDetails]:
    """Values of those of the leads that are active, by ID."""
    rows = await tx.all(_ACTIVE, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)})
    return {row.id: LeadDetails.of(row) for row in rows}


async def leads_by_id(tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID]) -> dict[UUID, LeadView]:
    """Those of the leads that are active, by ID."""
    rows = await tx.all(_LEADS, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)})
    return {row.id: lead_view(row) for row in rows}


async def ids_by_email(tx: Transaction, actor: Actor, *, addresses: Collection[str]) -> dict[str, UUID]:
    """IDs of the active leads with these normalized email addresses, by address."""
    rows = await tx.all(_IDS_BY_EMAIL, {"workspace_id": actor.workspace_id, "addresses": list(addresses)})
    return {row.email_norm: row.id for row in rows}


async def list_leads(
    tx: Transaction,
    actor: Actor,
    *,
    filters: LeadFilter,
    sort: LeadSort = LeadSort.NEWEST,
    after: Position | None = None,
    limit: int,
) -> Page[LeadView]:
    """Active leads. A search (`filters.q`) finds parts of name, email or company, ignoring case and accents.

    One or two letters of the alphabet or digits find words that begin with them.
    """
    rows = await matching_rows(tx, actor, filters=filters, sort=sort, after=after, limit=limit + 1)
    return cut(rows, limit, lambda row: position_of(row, sort)).map(lead_view)


async def list_leads_of_each(
    tx: Transaction, actor: Actor, *, filters: Sequence[LeadFilter], sort: LeadSort, limits: Sequence[int]
) -> list[list[LeadView]]:
    """The first leads for each of several filters, as `list_leads`; in one statement, whatever their number."""
    rows = await first_rows_of_each(tx, actor, filters=filters, sort=sort, limits=limits)
    return [[lead_view(row) for row in each] for each in rows]


async def next_leads(
    tx: Transaction, actor: Actor, *, filters: LeadFilter, sort: LeadSort, after: Position | None, limit: int
) -> list[LeadView]:
    """Like `list_leads`, for callers that read all pages."""
    return [
        lead_view(row) for row in await matching_rows(tx, actor, filters=filters, sort=sort, after=after, limit=limit)
    ]


async def list_events(
    tx: Transaction, actor: Actor, *, lead_id: UUID, after: Position | None = None, limit: int, deleted: bool = False
) -> Page[LeadEventView]:
    """The timeline of a lead with those of the leads merged into it, newest first.

    Args: deleted: the lead is a deleted one.

    Raises: LeadNotFound.
    """
    if not deleted:
        await get_lead(tx, actor, lead_id=lead_id)
    parts = await tx.all(_PARTS, {"workspace_id": actor.workspace_id, "lead_id": lead_id})
    lead_ids = [row.lead_id for row in parts]
    page = await TIMELINE.entries(tx, actor, subject_ids=lead_ids, after=after, limit=limit)
    return page.map(_entry_view)


async def changes_since(tx: Transaction, actor: Actor, *, lead_id: UUID, version: int) -> list[LeadEventView]:
    """Changes of a lead after a version, oldest first, at most the latest 100. Raises: LeadNotFound.

    Each has the version that it led to as `data.version`; a change of fields has `data.changes`: name to before, after.
    """
    await get_lead(tx, actor, lead_id=lead_id)
    keys = {"workspace_id": actor.workspace_id, "lead_id": lead_id}
    rows = await tx.all(_CHANGES_SINCE, {**keys, "version": version, "limit": _MAX_CHANGES})
    return [_event_view(row) for row in reversed(rows)]


def lead_view(row: Row) -> LeadView:
    """The view of a row of `leads`."""
    found = {name: row[column] for name, column in _FOUND.items() if row[column] is not None}
    return LeadView(**{name: row[name] for name in LeadView.model_fields}).with_found(found)


def _entry_view(entry: TimelineRecord) -> LeadEventView:
    return LeadEventView(
        id=entry.id,
        lead_id=entry.subject_id,
        kind=entry.kind,
        at=entry.at,
        actor=ActorView(kind=entry.actor_kind, id=entry.actor_id),
        data=dict(entry.data),
    )


def _event_view(row: Row) -> LeadEventView:
    return LeadEventView(
        id=row.id,
        lead_id=row.lead_id,
        kind=row.kind,
        at=row.at,
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        data=row.data,
    )
