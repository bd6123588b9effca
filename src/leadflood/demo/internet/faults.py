"""Websites that misbehave: each fault of servers and name servers by name, below `faults.example`."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from leadflood.demo.internet.authority import CertificateFault
from leadflood.demo.internet.dialer import CLOSED, SILENT
from leadflood.demo.internet.dns_server import DnsFault, Zone
from leadflood.demo.internet.http_server import Received, SitePage

DOMAIN: Final = "faults.example"
ADDRESS: Final = "25.200.0.1"
_CHUNK: Final = b"x" * 65536
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n"
_BOMB_BYTES: Final = 64 * 1024 * 1024
_ZLIB_HEADER: Final = b"\x78\x9c"
_EMPTY_BLOCKS: Final = b"\x00\x00\x00\xff\xff" * 10_000  # stored blocks of no bytes (RFC 1951, 3.2.4)
_HTML: Final = b"<!doctype html><title>A page</title><p>A page."

Fault = Callable[[Received, asyncio.StreamWriter], Awaitable[SitePage | None]]


async def _hang(_request: Received, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def _hang_after_headers(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"content-length: 1000\r\n\r\n<!doctype html>")
    await writer.drain()
    await asyncio.Event().wait()


async def _slow_headers(_request: Received, writer: asyncio.StreamWriter) -> None:
    for byte in _HEAD * 100:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def _endless_headers(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD)
    number = 0
    while True:
        number += 1
        writer.write(f"x-{number}: {'y' * 1000}\r\n".encode())
        await writer.drain()


async def _large_headers(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"x-large: " + b"y" * 80_000 + b"\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def _endless_body(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"connection: close\r\n\r\n" + _HTML)
    while True:
        writer.write(_CHUNK)
        await writer.drain()


async def _endless_nothing(_request: Received, writer: asyncio.StreamWriter) -> None:
    """A compressed body that never ends and decompresses to nothing."""
    writer.write(_HEAD + b"content-encoding: deflate\r\nconnection: close\r\n\r\n" + _ZLIB_HEADER)
    while True:
        writer.write(_EMPTY_BLOCKS)
        await writer.drain()


async def _gzip_bomb(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    packed = await asyncio.get_running_loop().run_in_executor(None, gzip.compress, b"<p>" * (_BOMB_BYTES // 3), 6)
    return SitePage(packed, headers={"content-encoding": "gzip"})


async def _deflate_bomb(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    packed = await asyncio.get_running_loop().run_in_executor(None, zlib.compress, b"\n" * _BOMB_BYTES, 6)
    return SitePage(packed, headers={"content-encoding": "deflate"})


async def _unknown_encoding(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"\x1b\x00\x00" * 1000, headers={"content-encoding": "br"})


async def _broken_gzip(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(gzip.compress(_HTML * 100)[:-20] + b"x" * 20, headers={"content-encoding": "gzip"})


async def _thirty_redirects(request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    number = int(request.path.rpartition("/")[2] or 0)
    return _redirect(f"/{number + 1}") if number < 30 else SitePage(_HTML)  # noqa: PLR2004  as named


async def _redirect_loop(request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return _redirect("/b" if request.path == "/a" else "/a")


async def _redirect_to(request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    """A redirect to the URL in `?to=`, with the status in `?status=`."""
    query = parse_qs(urlsplit(request.path).query)
    if "to" not in query:
        return SitePage(_HTML)
    return _redirect(query["to"][0], int(query.get("status", ["302"])[0]))


async def _html_for_json(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(_HTML, content_type="application/json")


async def _truncated_json(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b'{"name": "Acme", "emplo', content_type="application/json")


async def _rate_limited(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"Too many requests", 429, {"retry-after": "60"}, "text/plain")


async def _rate_limited_silently(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"Too many requests", 429, {}, "text/plain")


async def _rate_limited_for_decades(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"Too many requests", 429, {"retry-after": "999999999"}, "text/plain")


async def _unavailable(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"Service unavailable", 503, {}, "text/plain")


async def _robots_error(request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"", 500) if request.path == "/robots.txt" else SitePage(_HTML)


async def _robots_refuse(request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    rules = b"User-agent: LeadFloodBot\nDisallow: /private\nAllow: /private/open\nCrawl-delay: 2\n"
    return SitePage(rules, content_type="text/plain") if request.path == "/robots.txt" else SitePage(_HTML)


async def _slow_robots(request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    rules = b"User-agent: *\nCrawl-delay: 60\n"
    return SitePage(rules, content_type="text/plain") if request.path == "/robots.txt" else SitePage(_HTML)


async def _wrong_charset(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage("<!doctype html><title>Müller & Söhne</title>".encode("cp1252"))


async def _deep_html(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"<!doctype html>" + b"<div>" * 10_000 + b"deep")


async def _long_script(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"<!doctype html><script>var a='" + b"a" * 5_000_000 + b"'</script>")


async def _file(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(b"MZ\x00\x01\x02" * 100)


async def _wrong_length(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(_HEAD + b"content-length: 100000\r\n\r\n" + _HTML)
    await writer.drain()


async def _no_http(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await writer.drain()


async def _close(_request: Received, _writer: asyncio.StreamWriter) -> None:
    return


async def _page(_request: Received, _writer: asyncio.StreamWriter) -> SitePage:
    return SitePage(_HTML)


FAULTS: Final[Mapping[str, Fault]] = {
    "hang": _hang,
    "hang-after-headers": _hang_after_headers,
    "slow-headers": _slow_headers,
    "endless-headers": _endless_headers,
    "large-headers": _large_headers,
    "endless-body": _endless_body,
    "endless-nothing": _endless_nothing,
    "gzip-bomb": _gzip_bomb,
    "deflate-bomb": _deflate_bomb,
    "unknown-encoding": _unknown_encoding,
    "broken-gzip": _broken_gzip,
    "thirty-redirects": _thirty_redirects,
    "redirect-loop": _redirect_loop,
    "redirect-to": _redirect_to,
    "html-for-json": _html_for_json,
    "truncated-json": _truncated_json,
    "rate-limited": _rate_limited,
    "rate-limited-silently": _rate_limited_silently,
    "rate-limited-for-decades": _rate_limited_for_decades,
    "unavailable": _unavailable,
    "robots-error": _robots_error,
    "robots-refuse": _robots_refuse,
    "slow-robots": _slow_robots,
    "wrong-charset": _wrong_charset,
    "deep-html": _deep_html,
    "long-script": _long_script,
    "file": _file,
    "wrong-length": _wrong_length,
    "no-http": _no_http,
    "close": _close,
    "expired-certificate": _page,
    "wrong-name-certificate": _page,
    "self-signed-certificate": _page,
    "good": _page,
}
"""Behaviors of the web server, by the first label of the host."""

CERTIFICATES: Final[Mapping[str, CertificateFault]] = {
    f"expired-certificate.{DOMAIN}": CertificateFault.EXPIRED,
    f"wrong-name-certificate.{DOMAIN}": CertificateFault.WRONG_NAME,
    f"self-signed-certificate.{DOMAIN}": CertificateFault.SELF_SIGNED,
}

_RECORDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("silent", "A"): (str(SILENT.network_address + 1),),
    ("closed", "A"): (str(CLOSED.network_address + 1),),
    ("half-closed", "A"): (str(CLOSED.network_address + 1), ADDRESS),
    ("private", "A"): ("10.1.2.3",),
    ("loopback", "A"): ("127.0.0.1",),
    ("half-private", "A"): (ADDRESS, "192.168.1.1"),
    ("private-ipv6", "A"): (ADDRESS,),
    ("private-ipv6", "AAAA"): ("::1",),
    ("mapped", "AAAA"): ("::ffff:127.0.0.1",),
    ("nat64", "AAAA"): ("64:ff9b::7f00:1",),
    ("cname-loop", "CNAME"): (f"cname-loop-b.{DOMAIN}.",),
    ("cname-loop-b", "CNAME"): (f"cname-loop.{DOMAIN}.",),
    ("alias", "CNAME"): (f"good.{DOMAIN}.",),
    ("alias-to-loopback", "CNAME"): (f"loopback.{DOMAIN}.",),
    ("many-texts", "TXT"): tuple(f'"text {number} {"y" * 60}"' for number in range(500)),
    ("no-address", "TXT"): ('"only a text"',),
}
"""Records of names that have others than the address of the web server."""


def zone_of_faults() -> Zone:
    """Names of all faults."""
    records: dict[tuple[str, str], tuple[str, ...]] = {(f"{name}.{DOMAIN}", "A"): (ADDRESS,) for name in FAULTS}
    records |= {(f"{name}.{DOMAIN}", type_): values for (name, type_), values in _RECORDS.items()}
    return Zone(
        records,
        changing={f"rebinding.{DOMAIN}": (ADDRESS, "127.0.0.1")},
        faults={f"{fault}.{DOMAIN}": fault for fault in DnsFault},
    )


async def serve_fault(request: Received, writer: asyncio.StreamWriter) -> SitePage | None:
    """Response of a host below `faults.example`."""
    fault = FAULTS.get(request.host.partition(".")[0], _page)
    return await fault(request, writer)


def _redirect(location: str, status: int = 302) -> SitePage:
    return SitePage(b"", status, {"location": location})
