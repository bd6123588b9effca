"""SQL that reads the history of leads' fields, and their values at a time."""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from leadflood.domains.leads.catalog import CUSTOM_FIELD
from leadflood.domains.leads.contracts import ActorView
from leadflood.domains.leads.contracts.history import FieldChangeView
from leadflood.domains.leads.models import FieldSource
from leadflood.domains.leads.queries import get_lead
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.pagination import Page, Position, cut

# The changes of a lead's fields, newest first.
_HISTORY: Final = sql("""
SELECT id, field, old_value, new_value, at, actor_kind, actor_id, source, changeset_id, found_by
FROM lead_field_history
WHERE workspace_id = :workspace_id AND lead_id = :lead_id AND (:field::text IS NULL OR field = :field)
  AND (:after::bigint IS NULL OR id < :after)
ORDER BY id DESC LIMIT :limit
""")

# The current fields of leads, with the earlier value of those that changed after a time.
_FACTS: Final = sql("""
SELECT l.id, lead_image(l) - '{email_norm,search_text,deleted_at}'::text[] || coalesce(
           (SELECT jsonb_object_agg(h.field, coalesce(h.old_value, 'null'))
            FROM (SELECT DISTINCT ON (field) field, old_value FROM lead_field_history
                  WHERE workspace_id = :workspace_id AND lead_id = l.id AND at > :at
                  ORDER BY field, id) h), '{}') AS facts
FROM leads l
WHERE l.workspace_id = :workspace_id AND l.id = ANY (:lead_ids::uuid[]) AND l.created_at <= :at
""")

_CUSTOM: Final = "custom_fields."
_SEPARATOR: Final = re.compile("_([a-z])")


async def field_history(
    tx: Transaction,
    actor: Actor,
    *,
    lead_id: UUID,
    field: str | None = None,
    after: Position | None = None,
    limit: int,
) -> Page[FieldChangeView]:
    """The changes of a lead's fields, newest first. `field`: only of this one, by API name.

    Raises: LeadNotFound.
    """
    await get_lead(tx, actor, lead_id=lead_id)
    values = {
        "workspace_id": actor.workspace_id,
        "lead_id": lead_id,
        "field": None if field is None else _stored_name(field),
        "after": None if after is None else after.serial,
        "limit": limit + 1,
    }
    rows = await tx.all(_HISTORY, values)
    return cut(rows, limit, lambda row: Position.at(row.id, lead_id)).map(_view)


async def facts_as_of(
    tx: Transaction, actor: Actor, *, lead_ids: Collection[UUID], at: datetime
) -> dict[UUID, dict[str, Any]]:
    """The values of leads at a time, by API name; empty ones and later leads are left out.

    Including deleted leads: their values at the time do not depend on what happened later.
    """
    rows = await tx.all(_FACTS, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids), "at": at})
    return {row.id: {_api_name(name): value for name, value in row.facts.items() if value is not None} for row in rows}


def _api_name(stored: str) -> str:
    if stored.startswith(_CUSTOM):
        return CUSTOM_FIELD + stored.removeprefix(_CUSTOM)
    return _SEPARATOR.sub(lambda found: found[1].upper(), stored)


def _stored_name(name: str) -> str:
    head, dot, key = name.partition(".")
    return re.sub("[A-Z]", lambda found: "_" + found[0].lower(), head) + dot + key


def _view(row: Row) -> FieldChangeView:
    return FieldChangeView(
        field=_api_name(row.field),
        old_value=row.old_value,
        new_value=row.new_value,
        at=row.at,
        actor=ActorView(kind=ActorKind(row.actor_kind), id=row.actor_id),
        source=FieldSource(row.source),
        changeset_id=row.changeset_id,
        found_by=row.found_by,
    )
