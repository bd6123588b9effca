"""All twins, and the names and addresses that they have in the small internet."""

import asyncio
from collections.abc import Sequence
from typing import Final

from leadflood.demo.internet.dns_server import Zone
from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.internet import demo_handler, demo_zone
from leadflood.demo.providers.abstract import AbstractCompanyTwin, AbstractEmailTwin
from leadflood.demo.providers.apollo import ApolloTwin
from leadflood.demo.providers.hunter import HunterTwin
from leadflood.demo.providers.language_model import LanguageModelTwin
from leadflood.demo.providers.people_data_labs import PeopleDataLabsTwin
from leadflood.demo.providers.twin import Twin
from leadflood.demo.providers.zerobounce import ZeroBounceTwin

ADDRESS: Final = "25.101.0.1"
KINDS: Final[Sequence[type[Twin]]] = (
    HunterTwin,
    PeopleDataLabsTwin,
    ZeroBounceTwin,
    AbstractEmailTwin,
    AbstractCompanyTwin,
    ApolloTwin,
    LanguageModelTwin,
)


class Twins:
    """One twin of each provider."""

    def __init__(self) -> None:
        self.all: Sequence[Twin] = tuple(kind() for kind in KINDS)
        self._by_host = {host: twin for twin in self.all for host in twin.hosts}

    @property
    def zone(self) -> Zone:
        """Their names."""
        return Zone({(host, "A"): (ADDRESS,) for host in self._by_host})

    async def serve(self, request: Received, writer: asyncio.StreamWriter) -> SitePage | None:
        """The reply of the twin that has the host. Raises: KeyError: none has."""
        return await self._by_host[request.host.partition(":")[0]].serve(request, writer)

    def has(self, request: Received) -> bool:
        """Whether the host of a request is one of theirs."""
        return request.host.partition(":")[0] in self._by_host


class DemoServers:
    """The names and servers of the demo: companies, registers and twins."""

    def __init__(self) -> None:
        self.twins = Twins()
        self.zone = demo_zone().joined(self.twins.zone)

    async def serve(self, request: Received, writer: asyncio.StreamWriter) -> SitePage | None:
        """Response of a provider, a company's website or a register."""
        if self.twins.has(request):
            return await self.twins.serve(request, writer)
        return await demo_handler(request, writer)
