"""Sample leads, created like any other lead and enriched by a real worker."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, operator
from leadflood.cli.demo_profile import NAME, publish_profile, wait_until_live
from leadflood.cli.demo_providers import open_providers
from leadflood.cli.leads import print_lead
from leadflood.cli.output import say, visible
from leadflood.cli.progress import open_reporter
from leadflood.kernel.errors import AppError

if TYPE_CHECKING:
    from leadflood.kernel.config import Settings

_BATCH = 200
_FIRST_POLL, _MAX_POLL = 0.1, 1.0


class DemoRefused(AppError):
    """The demo user has a public password: allowed only on this machine and for development."""

    code = "demo_refused"
    status = 403
    title = "Demo refused"


def refuse_in_production(settings: "Settings") -> None:
    """Raises: DemoRefused."""
    if settings.env == "production":
        raise DemoRefused(
            "The demo user has a public password and is refused with LEADFLOOD_ENV=production. "
            "Run without the demo, or set LEADFLOOD_ENV=development."
        )


def run_seed(settings: "Settings", count: int, *, wait: bool) -> None:
    """Create the demo user and `count` sample leads; with `wait`, exit code 1 unless all of them are enriched."""
    refuse_in_production(settings)
    if not asyncio.run(_seed(settings, count, wait=wait)):
        raise typer.Exit(1)


async def _seed(settings: "Settings", count: int, *, wait: bool) -> bool:
    from leadflood import bootstrap
    from leadflood.domains.identity.models import DEMO_EMAIL, DEMO_PASSWORD
    from leadflood.domains.identity.service import administration

    async with bootstrap.open_platform(settings, process="seed") as platform:
        await administration.first_run(platform.database)
        workspace_id = await administration.ensure_demo(platform.database)
        context = CliContext(platform, operator(workspace_id))
        if settings.demo_internet and await open_providers(context.database, context.actor, platform.secret_box):
            say("Two simulated providers have prices (2.5 and 10 cents) and a budget of €5: see Settings, Sources.")
            if await publish_profile(context.database, context.actor):
                await wait_until_live(context.database, context.actor)
                say(f"The profile “{NAME}” is published. Providers are asked only where it can change a tier.")
        lead_ids, new = await create_samples(context, count)
        created = f"Created {new} sample {'lead' if new == 1 else 'leads'}." if new else "Sample data already loaded."
        say(f"{created} Sign in as {DEMO_EMAIL} with the password {DEMO_PASSWORD}.")
        if not wait or not lead_ids:
            return True
        enriched = await _watch(context, lead_ids)
        await print_lead(context, lead_ids[0], as_json=False)
        return enriched


async def create_samples(context: CliContext, count: int) -> tuple[list[UUID], int]:
    """Ensure that there are `count` sample leads. Returns their IDs, and the number of new ones."""
    from leadflood.domains.leads.service.samples import load_samples

    ids: list[UUID] = []
    new = 0
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        async with context.transaction() as tx:
            some, made = await load_samples(tx, context.actor, trace={}, numbers=numbers)
        ids += some
        new += made
    return ids, new


async def _watch(context: CliContext, lead_ids: Sequence[UUID]) -> bool:
    """Print each lead's progress to its final state. Returns whether all were enriched."""
    from leadflood.domains.leads import queries

    reported: dict[UUID, str] = {}
    pause = _FIRST_POLL
    async with open_reporter() as screen:
        while True:
            before = dict(reported)
            async with context.transaction(read_only=True) as tx:
                for lead_id in lead_ids:
                    if reported.get(lead_id) in ("enriched", "failed"):
                        continue
                    lead = await queries.get_lead(tx, context.actor, lead_id=lead_id)
                    if reported.get(lead_id) != lead.status:
                        screen.print_line(f"{lead.status:<10}  {visible(lead.email)}")
                    reported[lead_id] = lead.status
            ended = sum(status in ("enriched", "failed") for status in reported.values())
            if ended == len(lead_ids):
                return all(status == "enriched" for status in reported.values())
            screen.show(f"{ended} of {len(lead_ids)} sample leads enriched …")
            pause = _FIRST_POLL if reported != before else min(_MAX_POLL, pause * 1.3)
            await asyncio.sleep(pause)
