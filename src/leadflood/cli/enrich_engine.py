"""The engine of `leadflood enrich`: everything in memory, with the internet or the demo's small one outside."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leadflood.kernel.config import Settings

if TYPE_CHECKING:
    from leadflood.domains.enrichment.engine.running import Engine
    from leadflood.domains.enrichment.models.policies import Policy
    from leadflood.kernel.door.door import DoorParts
    from leadflood.kernel.door.hosts import Hosts


@dataclass(frozen=True)
class StandaloneEngine:
    """An engine without a database, and the policy by which it asks its sources."""

    engine: "Engine"
    policy: "Policy"


@asynccontextmanager
async def open_engine(
    settings: Settings, *, contact: str, demo: bool, hosts: "Hosts | None" = None
) -> AsyncIterator[StandaloneEngine]:
    """An engine, closed on exit.

    Args:
        settings: of this process.
        contact: email or page, for the owners of websites.
        demo: ask the demo's internet.
        hosts: spacing of requests and robots.txt; None: in memory, as usual.

    Raises: leadflood.demo.internet.dialer.DemoInternetRefused: in production.
    """
    from leadflood.domains.enrichment.engine.fetching import DoorFetcher
    from leadflood.domains.enrichment.engine.memory import (
        MemoryBreakers,
        MemoryFingerprints,
        MemoryLookups,
        MemoryRates,
    )
    from leadflood.domains.enrichment.engine.ports import EnginePorts
    from leadflood.domains.enrichment.engine.running import Engine
    from leadflood.domains.enrichment.registry import PARSER_MODULES, build_sources, default_policy
    from leadflood.kernel.door.door import Door
    from leadflood.kernel.sandbox.pool import Sandbox

    async with AsyncExitStack() as stack:
        # One caller gets all but one of the processes.
        sandbox = Sandbox(processes=(os.cpu_count() or 1) + 1, preload=PARSER_MODULES)
        await stack.enter_async_context(aclosing(sandbox))
        parts = await stack.enter_async_context(_door_parts(settings, contact, demo=demo, hosts=hosts))
        door = await stack.enter_async_context(aclosing(Door(parts)))
        sources = build_sources(settings)
        ports = EnginePorts(
            MemoryLookups(),
            MemoryRates(),
            MemoryBreakers(),
            DoorFetcher(door, sandbox, "enrich"),
            MemoryFingerprints().hash,
        )
        yield StandaloneEngine(Engine(sources, ports), default_policy(sources))


@asynccontextmanager
async def _door_parts(
    settings: Settings, contact: str, *, demo: bool, hosts: "Hosts | None"
) -> "AsyncIterator[DoorParts]":
    from leadflood.kernel.door.door import DoorParts
    from leadflood.kernel.door.hosts import MemoryHosts
    from leadflood.kernel.door.own_addresses import OwnAddresses
    from leadflood.kernel.door.targets import parse_internal_hosts
    from leadflood.kernel.door.user_agent import UserAgent
    from leadflood.kernel.public_url import public_url

    async def known_contact() -> str:
        return contact

    # Without a public URL, no page of ours can be read by others.
    agent = UserAgent(public_url(settings) if settings.public_url else "", known_contact)
    hosts = hosts or MemoryHosts()
    if not demo:
        internal = parse_internal_hosts(settings.internal_hosts)
        yield DoorParts(agent, gate=None, hosts=hosts, internal=internal, own_addresses=OwnAddresses([]))
        return
    from leadflood.demo.internet.dialer import demo_dialer
    from leadflood.demo.internet.internet import Internet, demo_handler, demo_zone

    demo_dialer(settings, {})  # refused before any server starts
    async with Internet(demo_zone(), demo_handler) as internet:
        yield DoorParts(
            agent,
            gate=None,
            hosts=hosts,
            resolver=internet.resolver,
            dialer=demo_dialer(settings, internet.dialer.ports),
            ssl_context=internet.ssl_context,
        )
