"""No test process leaves the loopback interface."""

import asyncio
import os
import socket
from ipaddress import ip_address

import pytest

from leadflood.domains.enrichment.models import Speed
from leadflood.domains.enrichment.registry import worker_sources
from leadflood.kernel.config import Settings
from leadflood.kernel.door.dialer import InternetDialer
from leadflood.kernel.door.errors import NoInternet
from leadflood.kernel.door.resolver import Resolver
from tests.support.loopback import LeftLoopback
from tests.support.processes import environment

PUBLIC = "203.0.113.7"


async def test_connections_datagrams_and_lookups_are_refused() -> None:
    with socket.socket() as stream, pytest.raises(LeftLoopback):
        stream.connect((PUBLIC, 443))
    with socket.socket(type=socket.SOCK_DGRAM) as datagram, pytest.raises(LeftLoopback):
        datagram.sendto(b"?", (PUBLIC, 53))
    with pytest.raises(LeftLoopback):
        await asyncio.get_running_loop().getaddrinfo("acme.com", 443)
    with pytest.raises(ExceptionGroup) as dialed:
        await InternetDialer().dial(ip_address(PUBLIC), 443)
    assert dialed.value.subgroup(LeftLoopback)
    with pytest.raises((LeftLoopback, NoInternet)):
        await Resolver([(PUBLIC, 53)]).addresses("acme.com")


def test_processes_of_tests_have_sources_that_ask_nobody(settings: Settings, tmp_path: os.PathLike[str]) -> None:
    named = environment()["LEADFLOOD_ENRICHMENT_SOURCES"]

    for mine in (settings, settings.model_copy(update={"enrichment_sources": named})):
        assert {source.spec.speed for source in worker_sources(mine)} == {Speed.INSTANT}


def test_by_default_the_sources_without_a_key_are_asked() -> None:
    names = {source.spec.name for source in worker_sources(Settings(_env_file=None))}

    assert {"email_insight", "website", "dns", "gleif", "wikidata"} <= names
