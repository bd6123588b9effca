"""Sample leads, created like any other lead and enriched by a real worker."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from leadflood.cli.context import CliContext, operator
from leadflood.cli.leads import print_lead
from leadflood.cli.output import say, visible
from leadflood.cli.progress import open_reporter
from leadflood.kernel.errors import AppError

if TYPE_CHECKING:
    from leadflood.kernel.config import Settings

SOURCE = "demo"
_BATCH = 200
_FIRST_POLL, _MAX_POLL = 0.1, 1.0

SAMPLES: Sequence[dict[str, Any]] = (
    {"email": "ada.lovelace@acme.com", "company": "Acme", "jobTitle": "Head of Research", "country": "GB"},
    {"email": "grace.hopper@navy-systems.com", "firstName": "Grace", "lastName": "Hopper"},
    {"email": "søren@blåbær.dk", "firstName": "Søren", "country": "DK"},
    {"email": "k.nakamura@sakura-trading.co.jp", "firstName": "恵子", "lastName": "中村", "country": "JP"},
    {"email": "layla.haddad@cedar-imports.com", "firstName": "ليلى", "lastName": "حداد", "country": "LB"},
    {"email": "maria.garcia@gmial.com", "firstName": "María", "lastName": "García", "country": "ES"},
    {"email": "sales@northwind-traders.com", "company": "Northwind Traders"},
    {"email": "jonas.weber@gmail.com", "firstName": "Jonas", "lastName": "Weber", "country": "DE"},
)
"""A full address, a typo, a role, a free email, an international domain, and names in other scripts."""


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
    from leadflood.domains.leads import service
    from leadflood.domains.leads.contracts import CreateLead
    from leadflood.domains.leads.errors import DuplicateLead

    ids: list[UUID] = []
    new = 0
    for start in range(0, count, _BATCH):
        async with context.database.transaction(context.actor.workspace_id) as tx:
            for number in range(start, min(start + _BATCH, count)):
                command = CreateLead.model_validate(_sample(number))
                try:
                    made = await service.create_lead(tx, context.actor, command=command, trace={}, source=SOURCE)
                except DuplicateLead as duplicate:
                    ids.append(UUID(str(duplicate.extra["existingId"])))
                else:
                    ids.append(made.lead_id)
                    new += 1
    return ids, new


async def _watch(context: CliContext, lead_ids: Sequence[UUID]) -> bool:
    """Print each lead's progress to its final state. Returns whether all were enriched."""
    from leadflood.domains.leads import queries

    reported: dict[UUID, str] = {}
    pause = _FIRST_POLL
    async with open_reporter() as screen:
        while True:
            before = dict(reported)
            async with context.database.transaction(context.actor.workspace_id, read_only=True) as tx:
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


def _sample(number: int) -> dict[str, Any]:
    if number < len(SAMPLES):
        return SAMPLES[number]
    pattern = SAMPLES[number % len(SAMPLES)]
    local, _, domain = str(pattern["email"]).partition("@")
    return {**pattern, "email": f"{local}+{number}@{domain}"}
