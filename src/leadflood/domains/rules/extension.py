"""Extension of versions of profiles by rules: what publishing one would make them do."""

from typing import Any, Final
from uuid import UUID

from leadflood.domains.rules.permissions import RULES_READ
from leadflood.domains.rules.queries import effects
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, Panel


async def _load(tx: Transaction, actor: Actor, version_id: UUID) -> dict[str, Any] | None:
    found = await effects.effects_of_version(tx, actor, version_id)
    return {"effects": found} if found else None


EXTENSION: Final = Extension(
    panels=(
        Panel(
            name="rule-effects",
            title="Rules that would run",
            template="rules/_effects.html",
            load=_load,
            permission=RULES_READ,
        ),
    ),
)
