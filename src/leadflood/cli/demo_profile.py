"""A published profile for the demo. Paid sources are asked only where an answer can change its tiers."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from leadflood.kernel.actor import Actor
    from leadflood.kernel.db.database import Database

NAME: "Final" = "Demo buyers"
_POLLS: "Final" = 40
_POLL_SECONDS: "Final" = 0.25
_BODY: "Final[dict[str, Any]]" = {
    "groups": [
        {
            "name": "Company",
            "criteria": [
                {
                    "key": "size",
                    "label": "50 to 500 employees",
                    "test": {"field": "company.employees", "between": [50, 500]},
                    "points": 25,
                },
                {
                    "key": "market",
                    "label": "A market we sell in",
                    "test": {"field": "lead.country", "in": ["DE", "AT", "CH", "GB", "DK", "SE", "US"]},
                    "points": 15,
                },
            ],
        },
        {
            "name": "Person",
            "criteria": [
                {
                    "key": "decides",
                    "label": "Decides on software",
                    "test": {"matchesTitle": {"seniority": ["owner", "founder", "c_level", "vp", "director", "head"]}},
                    "points": 30,
                }
            ],
        },
    ],
    "gates": [
        {
            "key": "private",
            "test": {"field": "lead.is_free_mail", "is": True},
            "effect": "exclude",
            "reason": "Private email address",
        }
    ],
    "tiers": [{"name": "A", "atLeast": 55}, {"name": "B", "atLeast": 25}, {"name": "C"}],
}


async def publish_profile(database: "Database", actor: "Actor") -> bool:
    """Begin to publish the profile, and have paid sources spared; nothing changes if there is a profile already.

    Returns whether anything changed.
    """
    from leadflood.domains.enrichment.contracts.settings import ChangeEnrichmentSettings
    from leadflood.domains.enrichment.service.settings import change_settings
    from leadflood.domains.icps import queries, service
    from leadflood.domains.icps.contracts.icps import CreateIcp, Publish
    from leadflood.domains.icps.service import publishing

    async with database.transaction(actor.workspace_id) as tx:
        if await queries.list_icps(tx, actor):
            return False
        made = await service.create_icp(tx, actor, command=CreateIcp.model_validate({"name": NAME, "body": _BODY}))
        await publishing.start(tx, actor, icp_id=made.id, command=Publish.model_validate({"number": 1}))
        command = ChangeEnrichmentSettings.model_validate({"paidSourcesOnlyForTier": True})
        await change_settings(tx, actor, command=command)
    return True


async def wait_until_live(database: "Database", actor: "Actor") -> None:
    """Wait up to ten seconds until a worker has published it, so that the first leads find it live."""
    from leadflood.domains.icps.queries import main_profile

    for _ in range(_POLLS):
        async with database.transaction(actor.workspace_id, read_only=True) as tx:
            if await main_profile(tx, actor) is not None:
                return
        await asyncio.sleep(_POLL_SECONDS)
