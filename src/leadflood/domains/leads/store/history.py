"""Says who changes fields of leads, and why, for the history that the database writes of each change."""

import json
from uuid import UUID

from leadflood.domains.leads.models import FieldSource
from leadflood.kernel.actor import ActorKind
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# What a trigger on the leads reads, until the transaction ends or says something else.
_ATTRIBUTE = sql("SELECT set_config('app.field_change', :change, true)")


async def attribute(
    tx: Transaction,
    source: FieldSource,
    *,
    actor_kind: ActorKind | str,
    actor_id: UUID | None,
    changeset_id: UUID | None = None,
) -> None:
    """Record what this transaction changes from now on as done by this actor, as part of this changeset."""
    change = {"source": source, "actor_kind": actor_kind}
    change |= {"actor_id": str(actor_id)} if actor_id else {}
    change |= {"changeset_id": str(changeset_id)} if changeset_id else {}
    await tx.execute(_ATTRIBUTE, {"change": json.dumps(change)})
