"""The DNS source: mail servers, services that the domain names, DMARC, and signs of parking."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from leadflood.domains.enrichment.models import Answer, Fetcher, Found, Missed, Question, SourceSpec, Speed, SubjectKind
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.domains.enrichment.technologies import technologies_of_domain, technology_index
from leadflood.kernel.domain_parking import is_parking_host, parking_server
from leadflood.kernel.door.errors import LookupFailed, NameNotFound
from leadflood.kernel.door.resolver import RecordType
from leadflood.kernel.email_domains import registrable_domain
from leadflood.kernel.mail_hosts import provider_of_servers
from leadflood.kernel.mail_records import MailServers, dmarc_policy, mail_servers, spf_includes

_WEBSITE_KINDS: Final = frozenset({"cdn", "hosting", "server", "cache"})
_NO_RECORDS: Final = "The domain says nothing about mail or services."


class Dns:
    """Looks up the records of a company's domain: MX, TXT, NS, and the TXT records of `_dmarc.`."""

    spec = SourceSpec(
        name="dns",
        version="1",
        label="DNS records",
        subject=SubjectKind.COMPANY,
        speed=Speed.NETWORK,
        needs=(frozenset({fields.DOMAIN}),),
        gives=frozenset(
            {fields.MAIL_PROVIDER, fields.ACCEPTS_MAIL, fields.SERVICE, fields.DMARC, fields.TECHNOLOGY, fields.PARKED}
        ),
        family="dns",
        ttl_hit=timedelta(days=7),
        ttl_miss=timedelta(days=7),
        concurrency=32,
        one_service=False,
        seconds=15.0,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The facts of a domain's records. Raises: NameNotFound: it does not exist. LookupFailed: of all lookups."""
        domain = str(question.best(fields.DOMAIN))
        mx, txt, ns, dmarc = await asyncio.gather(
            _records(fetcher, domain, RecordType.MX),
            _records(fetcher, domain, RecordType.TXT),
            _records(fetcher, domain, RecordType.NS),
            _dmarc(fetcher, domain),
        )
        failures = [answer for answer in (mx, txt, ns, dmarc) if isinstance(answer, LookupFailed)]
        missing = next((answer for answer in (mx, txt, ns) if isinstance(answer, NameNotFound)), None)
        if missing is not None:
            raise missing
        if len(failures) == 4:  # noqa: PLR2004  all of them
            raise failures[0]
        collected = CollectedFacts(question.asked_at)
        servers = mail_servers(_known(mx))
        _mail(collected, domain, servers, asked=not isinstance(mx, LookupFailed))
        _services(collected, _known(txt), servers, _known(ns))
        if policy := dmarc_policy(_known(dmarc)):
            quote = next(iter(_known(dmarc)), "")
            collected.add(
                fields.DMARC, policy, 0.95, "dmarc", f"What {domain} asks to do with forged mail.", quote=quote
            )
        _parked(collected, servers, _known(ns))
        note = " ".join(dict.fromkeys(failure.sentence for failure in failures))
        return Found(collected.facts, note) if collected.facts else Missed(note or _NO_RECORDS)


Records = tuple[str, ...] | LookupFailed | NameNotFound


async def _records(fetcher: Fetcher, name: str, type_: RecordType) -> Records:
    try:
        return (await fetcher.records(name, type_)).records
    except (LookupFailed, NameNotFound) as error:
        return error


async def _dmarc(fetcher: Fetcher, domain: str) -> Records:
    """The records of `_dmarc.` and the domain, or of its registrable domain; none is no failure."""
    found = await _records(fetcher, f"_dmarc.{domain}", RecordType.TXT)
    above = registrable_domain(domain)
    if (isinstance(found, NameNotFound) or found == ()) and above and above != domain:
        found = await _records(fetcher, f"_dmarc.{above}", RecordType.TXT)
    return () if isinstance(found, NameNotFound) else found


def _known(records: Records) -> tuple[str, ...]:
    return records if isinstance(records, tuple) else ()


def _mail(collected: CollectedFacts, domain: str, servers: MailServers, *, asked: bool) -> None:
    if servers.refuses:
        evidence = f"{domain} receives no mail."
        collected.add(fields.ACCEPTS_MAIL, value=False, confidence=0.98, method="mx", evidence=evidence, quote="0 .")
        return
    if not servers.hosts:
        if asked:
            evidence = f"{domain} has no mail server."
            collected.add(fields.ACCEPTS_MAIL, value=False, confidence=0.8, method="mx", evidence=evidence)
        return
    first = servers.hosts[0]
    evidence = f"Mail for {domain} goes to {first}."
    collected.add(fields.ACCEPTS_MAIL, value=True, confidence=0.95, method="mx", evidence=evidence, quote=first)
    if found := provider_of_servers(servers.hosts, domain):
        provider, host = found
        evidence = (
            f"{host} belongs to {provider.title}."
            if provider.key != "self"
            else f"{domain} receives its mail on a server of its own."
        )
        collected.add(fields.MAIL_PROVIDER, provider.title, 0.95, "mx", evidence, quote=host)


def _services(
    collected: CollectedFacts, texts: Sequence[str], servers: MailServers, name_servers: Sequence[str]
) -> None:
    found = technologies_of_domain(
        technology_index(), txt=texts, spf=spf_includes(texts), mx=servers.hosts, ns=name_servers
    )
    for one in found:
        evidence = _SIGNS[one.kind]
        if one.category in _WEBSITE_KINDS:
            collected.add(fields.TECHNOLOGY, one.name, one.confidence, f"dns_{one.kind}", evidence, quote=one.quote)
        else:
            collected.add(fields.SERVICE, one.name, one.confidence, f"dns_{one.kind}", evidence, quote=one.quote)


_SIGNS: Final = {
    "txt": "The settings of the company’s domain mention it.",
    "spf": "It may send mail in the name of the company’s domain.",
    "mx": "It receives the mail of the company’s domain.",
    "ns": "It manages the company’s domain.",
    "implied": "Another service that the company uses needs it.",
}


def _parked(collected: CollectedFacts, servers: MailServers, name_servers: Sequence[str]) -> None:
    sign = parking_server(name_servers) or next(filter(is_parking_host, servers.hosts), None)
    if sign is not None:
        evidence = f"The domain is managed by {sign}, which is for domains that are not in use or for sale."
        collected.add(fields.PARKED, value=True, confidence=0.85, method="dns", evidence=evidence, quote=sign)
