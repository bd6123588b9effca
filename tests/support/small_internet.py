"""The way of tests into a small internet: a door to its servers, and jobs whose sources ask them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from leadflood.demo.internet.internet import Internet, demo_handler, demo_zone
from leadflood.domains.enrichment import jobs as enrichment_jobs
from leadflood.domains.enrichment.engine.fetching import DoorFetcher
from leadflood.domains.enrichment.engine.workers import SubjectEngines
from leadflood.domains.enrichment.models import Source
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.db.database import Database
from leadflood.kernel.door.door import Door, DoorParts
from leadflood.kernel.door.hosts import Hosts
from leadflood.kernel.fingerprints import Fingerprints
from leadflood.kernel.hold import Gate
from tests.support.sandbox import shared_sandbox


async def user_agent() -> str:
    """Name of the tests, as servers see it."""
    return "LeadFlood/0 (LeadFloodBot; tests@example.test)"


def parts_to(internet: Internet, *, gate: Gate | None = None, hosts: Hosts | None = None) -> DoorParts:
    """Parts of a door to the servers of a small internet. Without hosts, there is no spacing and no robots.txt."""
    return DoorParts(
        user_agent,
        gate=gate,
        hosts=hosts,
        resolver=internet.resolver,
        dialer=internet.dialer,
        ssl_context=internet.ssl_context,
    )


@asynccontextmanager
async def open_door(internet: Internet, *, gate: Gate | None = None, hosts: Hosts | None = None) -> AsyncIterator[Door]:
    """A door with these parts, closed at the end."""
    async with aclosing(Door(parts_to(internet, gate=gate, hosts=hosts))) as door:
        yield door


@asynccontextmanager
async def open_registry(
    database: Database, secret_box: SecretBox, sources: Sequence[Source], *, hosts: Hosts, gate: Gate | None = None
) -> AsyncIterator[JobRegistry]:
    """The jobs of enrichment, whose sources ask the companies of the small internet."""
    async with Internet(demo_zone(), demo_handler) as internet, open_door(internet, gate=gate, hosts=hosts) as door:
        engines = SubjectEngines(
            database,
            lambda workspace_id: DoorFetcher(door, shared_sandbox(), workspace_id),
            Fingerprints(database, secret_box).hash,
        )
        yield JobRegistry(enrichment_jobs.definitions(sources, engines))
