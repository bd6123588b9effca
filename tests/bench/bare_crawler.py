"""`python -m tests.bench.bare_crawler FOLDER HTTPS DNS SITES`: the least that reads the sites, without a database.

For each site the address, robots.txt and three pages with httpx2, parsed by lexbor. Prints sites a second.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path
from typing import Final

import dns.asyncresolver
import httpx2
from protego import Protego
from selectolax.lexbor import LexborHTMLParser

from leadflood.kernel.clock import monotonic
from tests.bench.sites import PAGES, domain_of

CONCURRENCY: Final = 64
SECONDS: Final = 30.0
"""Time for a request, and for a look-up: a busy machine is no reason to stop."""
_AGENT: Final = "LeadFloodBot"


async def crawl(folder: Path, https: int, dns_port: int, sites: int) -> float:
    """Sites a second. Raises: RuntimeError: if a page was not read."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], dns_port
    resolver.lifetime = SECONDS
    context = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    limits = httpx2.Limits(max_connections=2 * CONCURRENCY, max_keepalive_connections=2 * CONCURRENCY)
    slots = asyncio.Semaphore(CONCURRENCY)
    async with httpx2.AsyncClient(verify=context, limits=limits, timeout=SECONDS) as client:

        async def read(domain: str) -> int:
            async with slots:
                await resolver.resolve(domain, "A")
                rules = Protego.parse((await get(domain, "/robots.txt")).text)
                found = 0
                for path in PAGES:
                    if not rules.can_fetch(f"https://{domain}{path}", _AGENT):
                        continue
                    tree = LexborHTMLParser((await get(domain, path)).content)
                    data = tree.css_first('script[type="application/ld+json"]')
                    links = [node.attributes.get("href") for node in tree.css("a[href]")]
                    found += bool(data is not None and json.loads(data.text())["name"] and tree.css("title") and links)
                return found

        async def get(domain: str, path: str) -> httpx2.Response:
            headers, extensions = {"host": domain, "user-agent": _AGENT}, {"sni_hostname": domain}
            response = await client.get(f"https://127.0.0.1:{https}{path}", headers=headers, extensions=extensions)
            return response.raise_for_status()

        started = monotonic()
        read_pages = await asyncio.gather(*(read(domain_of(number)) for number in range(sites)))
        seconds = monotonic() - started
    if sum(read_pages) != sites * len(PAGES):
        message = f"{sum(read_pages)} of {sites * len(PAGES)} pages were read."
        raise RuntimeError(message)
    return sites / seconds


if __name__ == "__main__":
    folder_, https_, dns_, sites_ = sys.argv[1:]
    print(asyncio.run(crawl(Path(folder_), int(https_), int(dns_), int(sites_))))
