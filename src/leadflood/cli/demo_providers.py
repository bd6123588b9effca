"""Two providers with prices for the demo, and a budget for both. Their servers are twins on this machine."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadflood.kernel.actor import Actor
    from leadflood.kernel.crypto import SecretBox
    from leadflood.kernel.db.database import Database

PRICES: "Final[Mapping[str, int]]" = {"hunter_email_finder": 25_000, "pdl_person": 100_000}
"""Price of one unit by source, in millionths of a euro."""
BUDGET: Final = 5_000_000


async def open_providers(database: "Database", actor: "Actor", secret_box: "SecretBox") -> bool:
    """Give the actor's workspace keys of two twins, prices and a budget; nothing changes if it has a key already.

    The twins accept no other keys, and real providers not these: they are sent to the small internet only, because this
    runs only with it. Returns whether anything changed.
    """
    from leadflood.demo.providers.hunter import HunterTwin
    from leadflood.demo.providers.people_data_labs import PeopleDataLabsTwin
    from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
    from leadflood.domains.enrichment.queries.source_settings import provider_keys
    from leadflood.domains.enrichment.service import source_settings
    from leadflood.domains.spending import service as spending
    from leadflood.domains.spending.contracts import CreateBudget, SetPrice

    keys = {"hunter_email_finder": HunterTwin.key, "pdl_person": PeopleDataLabsTwin.key}
    async with database.transaction(actor.workspace_id) as tx:
        if await provider_keys(tx, actor.workspace_id):
            return False
        wanted = {"scope": "workspace", "period": "total", "limitMicros": BUDGET}
        await spending.create_budget(tx, actor, command=CreateBudget.model_validate(wanted))
        for name, price in PRICES.items():
            await spending.set_price(tx, actor, source=name, command=SetPrice.model_validate({"priceMicros": price}))
            await source_settings.set_key(tx, actor, secret_box, source=name, command=SetSourceKey(key=keys[name]))
            await source_settings.change(tx, actor, source=name, command=ChangeSource(enabled=True))
    return True
