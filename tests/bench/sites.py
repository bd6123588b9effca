"""`python -m tests.bench.sites FOLDER HTTP HTTPS DNS SITES`: websites for the part `companies`, in their own process.

Each site has its own address, records in the DNS, robots.txt and three pages of about 60 kB. A response takes 50 ms.
"""

import asyncio
import json
import signal
import sys
from functools import cache
from pathlib import Path
from typing import Final

from leadflood.demo.internet.dns_server import Zone
from leadflood.demo.internet.http_server import Received, SitePage
from leadflood.demo.internet.internet import Internet
from leadflood.demo.internet.place import DemoPlace

LATENCY: Final = 0.05
PAGES: Final = ("/", "/about", "/contact")
_PARAGRAPHS: Final = 120
_SENTENCE: Final = "We build machines, deliver spare parts and service plants of all sizes, every day and everywhere. "


def domain_of(number: int) -> str:
    """Domain of a site."""
    return f"site{number}-works.com"


def zone_of(sites: int) -> Zone:
    """Records of all sites."""
    records: dict[tuple[str, str], tuple[str, ...]] = {}
    for number in range(sites):
        domain = domain_of(number)
        records[domain, "A"] = (f"25.1.{number // 250}.{number % 250 + 1}",)
        records[f"www.{domain}", "CNAME"] = (f"{domain}.",)
        records[domain, "MX"] = ("10 aspmx.l.google.com.",)
        records[domain, "TXT"] = ('"v=spf1 include:_spf.google.com ~all"',)
        records[f"_dmarc.{domain}", "TXT"] = ('"v=DMARC1; p=reject"',)
    return Zone(records)


async def respond(request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    """The page of a site after the latency."""
    later: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(LATENCY, later.set_result, None)
    await later
    if request.path == "/robots.txt":
        return SitePage(b"User-agent: *\nDisallow: /admin\n", content_type="text/plain")
    if request.path not in PAGES:
        return SitePage(b"Not found", 404, content_type="text/plain")
    return SitePage(_page(request.host.partition(":")[0].removeprefix("www."), request.path))


def _page(domain: str, path: str) -> bytes:
    name = domain.partition(".")[0].replace("-", " ").title()
    data = {
        "@context": "https://schema.org",
        "@type": "Organization",
        "name": name,
        "legalName": f"{name} GmbH",
        "url": f"https://{domain}/",
        "telephone": "+49 30 901820",
        "address": {"@type": "PostalAddress", "addressLocality": "Berlin", "addressCountry": "DE"},
        "sameAs": [f"https://www.linkedin.com/company/{domain.partition('.')[0]}"],
    }
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}{path}</title>'
        f'<meta name="description" content="{name} builds machines."><meta name="generator" content="WordPress 7.0">'
        f'<script type="application/ld+json">{json.dumps(data)}</script>'
        '<script src="https://js.hs-scripts.com/1.js"></script></head><body><nav>'
        f'<a href="/about">About us</a> <a href="/contact">Contact</a></nav><main>{_text()}</main></body></html>'
    ).encode()


@cache
def _text() -> str:
    return "".join(f'<p class="text"><a href="/news/{n}">{n}</a> {_SENTENCE * 4}</p>\n' for n in range(_PARAGRAPHS))


async def serve(place: DemoPlace, sites: int) -> None:
    """Serve until a signal comes. The file `ready` appears when all certificates are made."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with Internet(zone_of(sites), respond, place=place) as internet:
        context = internet.ssl_context()
        for number in range(sites):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", place.https, ssl=context, server_hostname=domain_of(number)
            )
            writer.close()
        (place.folder / "ready").touch()
        await stop.wait()


if __name__ == "__main__":
    folder, http, https, dns, count = sys.argv[1:]
    asyncio.run(serve(DemoPlace(int(http), int(https), int(dns), Path(folder)), int(count)))
