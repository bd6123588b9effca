"""SQL that writes values of other domains into the empty fields of many leads."""

import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from leadflood.domains.leads.catalog import FINDABLE_FIELDS
from leadflood.domains.leads.contracts.filling import FoundFilling
from leadflood.domains.leads.events import LeadEventKind
from leadflood.domains.leads.store.found_values import ARRAYS, found_columns
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id

_OR: Final = sql(" OR ")

FILL: Final = assemble(
    sql_file("leadflood.domains.leads.sql", "fill"),
    arrays=ARRAYS,
    fields=FINDABLE_FIELDS.columns,
    assigned=FINDABLE_FIELDS.sql(sql("{field} = coalesce(l.{field}, wanted.{field})")),
    fillable=FINDABLE_FIELDS.sql(sql("(l.{field} IS NULL AND wanted.{field} IS NOT NULL)"), _OR),
)


async def fill(tx: Transaction, actor: Actor, changeset_id: UUID, fillings: Mapping[UUID, FoundFilling]) -> list[UUID]:
    """Write values into the empty fields of locked leads, as part of a changeset. Returns the leads that changed."""
    values = {
        "workspace_id": actor.workspace_id,
        "changeset_id": changeset_id,
        "lead_ids": list(fillings),
        "event_ids": [new_id() for _ in fillings],
        "found_by": [json.dumps(dict(item.found_by)) for item in fillings.values()],
        "event": LeadEventKind.CHANGED,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        **found_columns([item.values for item in fillings.values()]),
    }
    return [row.id for row in await tx.all(FILL, values)]
