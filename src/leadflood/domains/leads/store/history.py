"""Author and reason of changes of leads, for the history that the database writes."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from leadflood.domains.leads.models import FieldSource
from leadflood.kernel.actor import ActorKind
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Read by a trigger on the leads, until the transaction ends or sets another value.
_ATTRIBUTE = sql("SELECT set_config('app.field_change', :change, true)")


async def attribute(
    tx: Transaction,
    source: FieldSource,
    *,
    actor_kind: ActorKind | str,
    actor_id: UUID | None,
    changeset_id: UUID | None = None,
    found_by: Mapping[str, str] | None = None,
) -> None:
    """Attribute all further changes of this transaction to this actor and this changeset.

    Args: found_by: the sources of accepted values, by field.
    """
    change: dict[str, Any] = {"source": source, "actor_kind": actor_kind}
    change |= {"found_by": dict(found_by)} if found_by else {}
    change |= {"actor_id": str(actor_id)} if actor_id else {}
    change |= {"changeset_id": str(changeset_id)} if changeset_id else {}
    await tx.execute(_ATTRIBUTE, {"change": json.dumps(change)})
