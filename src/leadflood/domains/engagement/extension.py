"""Extension of leads by engagement: a panel with a form."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.engagement import queries
from leadflood.domains.engagement.permissions import ENGAGEMENT_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, Panel

SHOWN: Final = 20
"""Engagements in the panel of a lead."""


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    rules = await queries.rules(tx, actor)
    page = await queries.engagements_of(tx, actor, lead_id=lead_id, limit=SHOWN)
    options = [(kind, f"{points} points") for kind, points in rules.all_points.items()]
    return {"engagements": page.items, "more": page.after is not None, "options": options}


EXTENSION: Final = Extension(
    panels=(
        Panel(
            name="engagement",
            title="Engagement",
            template="engagement/_panel.html",
            load=_load_panel,
            permission=ENGAGEMENT_READ,
            order=25,
        ),
    ),
)
