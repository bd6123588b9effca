"""Extension of leads by duplicates: a panel with the open pairs."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.duplicates import queries
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, Panel

_SHOWN: Final = 5


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any] | None:
    pairs = await queries.pairs_of_lead(tx, actor, lead_id=lead_id, limit=_SHOWN + 1)
    others = [(pair, next(lead for lead in pair.leads if lead.id != lead_id)) for pair in pairs[:_SHOWN]]
    return {"pairs": others, "more": len(pairs) > _SHOWN, "name_of": name_of} if others else None


EXTENSION: Final = Extension(
    panels=(
        Panel(
            name="duplicates",
            title="Possible duplicate",
            template="duplicates/_panel.html",
            load=_load_panel,
            permission=LEADS_READ,
            order=0,
        ),
    ),
)
