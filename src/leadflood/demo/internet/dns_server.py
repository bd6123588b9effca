"""A name server on the loopback interface, over UDP and TCP."""

import asyncio
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

_LOOPBACK: Final = "127.0.0.1"
_UDP_SIZE: Final = 1232
"""Bytes of an answer over UDP; what is longer is truncated (DNS flag day 2020)."""


class DnsFault(StrEnum):
    """Faults of a name."""

    SERVFAIL = "servfail"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    GARBAGE = "garbage"


@dataclass(slots=True)
class Zone:
    """Data of the name server.

    Attributes:
        records: by name in lower case and type, in presentation format.
        changing: A records of names whose answer changes: the first answer, the second, and the last one from then on.
        faults: names that misbehave.
        ttl: of all records, in seconds.
    """

    records: Mapping[tuple[str, str], Sequence[str]]
    changing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, DnsFault] = field(default_factory=dict)
    ttl: int = 60
    asked: "Counter[tuple[str, str]]" = field(default_factory=Counter)
    """Number of queries per name and type."""

    def joined(self, other: "Zone") -> "Zone":
        """A zone with the names of both."""
        return Zone(
            {**self.records, **other.records},
            {**self.changing, **other.changing},
            {**self.faults, **other.faults},
            self.ttl,
        )

    def knows(self, name: str) -> bool:
        """Whether a name exists. Top-level domains do."""
        return "." not in name or name in self.changing or any(known == name for known, _ in self.records)

    def found(self, name: str, type_: str) -> Sequence[str]:
        """The records of a name."""
        if type_ == "A" and name in self.changing:
            answers = self.changing[name]
            return [answers[min(self.asked[name, type_], len(answers)) - 1]]
        return self.records.get((name, type_), ())


class DnsServer:
    """Answers from a zone. Use as an asynchronous context manager; `port` is the same for UDP and TCP."""

    def __init__(self, zone: Zone, *, host: str = _LOOPBACK, port: int = 0) -> None:
        self._zone = zone
        self._host = host
        self.port = port

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._serve_tcp, self._host, self.port)
        self.port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self.answer), local_addr=(self._host, self.port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    def answer(self, data: bytes, *, size: int | None = None) -> bytes | None:
        """The answer to a query; None where there is none. Args: size: in bytes that it may have."""
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        type_ = dns.rdatatype.to_text(question.rdtype)
        self._zone.asked[name, type_] += 1
        fault = self._zone.faults.get(name)
        if fault is DnsFault.TIMEOUT:
            return None
        if fault is DnsFault.GARBAGE:
            return data[:2] + b"\xff" * 40
        response = dns.message.make_response(query, recursion_available=True)
        if fault is not None:
            response.set_rcode(dns.rcode.SERVFAIL if fault is DnsFault.SERVFAIL else dns.rcode.REFUSED)
        else:
            self._fill(response, name, type_)
        try:
            # dnspython shuffles records by default; the zone decides which address comes first.
            return response.to_wire(max_size=size or 65535, want_shuffle=False)
        except dns.exception.TooBig:
            short = dns.message.make_response(query, recursion_available=True)
            short.flags |= dns.flags.TC
            return short.to_wire()

    def _fill(self, response: dns.message.Message, name: str, type_: str) -> None:
        """Add the records, after the aliases that lead to them."""
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            alias = self._zone.found(name, "CNAME")
            if not alias or type_ == "CNAME":
                break
            response.answer.append(self._records(name, "CNAME", alias))
            name = alias[0].removesuffix(".").lower()
        records = self._zone.found(name, type_)
        if records:
            response.answer.append(self._records(name, type_, records))
        elif not self._zone.knows(name):
            response.set_rcode(dns.rcode.NXDOMAIN)

    def _records(self, name: str, type_: str, records: Sequence[str]) -> dns.rrset.RRset:
        return dns.rrset.from_text_list(
            dns.name.from_text(name), self._zone.ttl, dns.rdataclass.IN, dns.rdatatype.from_text(type_), list(records)
        )

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                answer = self.answer(await reader.readexactly(length))
                if answer is None:
                    return
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


class _Answer(Protocol):
    def __call__(self, data: bytes, *, size: int | None = None) -> bytes | None: ...


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answer: "_Answer") -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12, asyncio's own transport is no subclass of DatagramTransport.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(data, size=_UDP_SIZE)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
