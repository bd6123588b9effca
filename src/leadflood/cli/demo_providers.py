"""Two providers with prices for the demo, and a budget for both. Their servers are twins on this machine."""

from typing import TYPE_CHECKING, Final

from leadflood.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadflood.cli.context import CliContext

PRICES: "Final[Mapping[str, int]]" = {"hunter_email_finder": 25_000, "pdl_person": 100_000}
"""Price of one unit by source, in millionths of a euro."""
BUDGET: Final = 5_000_000


async def open_providers(context: "CliContext") -> None:
    """Give the demo's workspace keys of two twins, prices and a budget; nothing changes if it has a key already.

    The twins accept no other keys, and real providers not these: they are sent to the small internet only, because this
    runs only with it.
    """
    from leadflood.demo.providers.hunter import HunterTwin
    from leadflood.demo.providers.people_data_labs import PeopleDataLabsTwin
    from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
    from leadflood.domains.enrichment.queries.source_settings import provider_keys
    from leadflood.domains.enrichment.service import source_settings
    from leadflood.domains.spending import service as spending
    from leadflood.domains.spending.contracts import CreateBudget, SetPrice

    keys = {"hunter_email_finder": HunterTwin.key, "pdl_person": PeopleDataLabsTwin.key}
    box = context.platform.secret_box
    async with context.database.transaction(context.actor.workspace_id) as tx:
        if await provider_keys(tx, context.actor.workspace_id):
            return
        wanted = {"scope": "workspace", "period": "total", "limitMicros": BUDGET}
        await spending.create_budget(tx, context.actor, command=CreateBudget.model_validate(wanted))
        for name, price in PRICES.items():
            await spending.set_price(
                tx, context.actor, source=name, command=SetPrice.model_validate({"priceMicros": price})
            )
            await source_settings.set_key(tx, context.actor, box, source=name, command=SetSourceKey(key=keys[name]))
            await source_settings.change(tx, context.actor, source=name, command=ChangeSource(enabled=True))
    say("Two simulated providers have prices (2.5 and 10 cents) and a budget of €5. See Settings, Sources.")
