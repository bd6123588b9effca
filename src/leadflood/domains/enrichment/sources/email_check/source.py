"""The email check: syntax, domain, mail servers, disposable mailboxes, functions and typing errors.

No message is sent, and no mail server is asked.
"""

from datetime import timedelta
from typing import Final

from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Fetcher,
    Question,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.domains.enrichment.sources.email_check.verdict import EmailStatus, EmailVerdict, MailDomain, verdict_of
from leadflood.kernel.disposable_domains import disposable_provider
from leadflood.kernel.domain_parking import is_parking_host
from leadflood.kernel.door.errors import NameNotFound, NoInternet, TargetRefused
from leadflood.kernel.door.resolver import RecordType
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.mail_hosts import provider_of_servers
from leadflood.kernel.mail_records import mail_servers
from leadflood.kernel.mailbox_roles import find_role
from leadflood.kernel.text import InvalidValue

_ADDRESS_TYPES: Final = (RecordType.A, RecordType.AAAA)


class EmailCheck:
    """Checks an address by its syntax and the DNS records of its domain."""

    spec = SourceSpec(
        name="email_check",
        version="1",
        label="Email check",
        subject=SubjectKind.LEAD,
        speed=Speed.NETWORK,
        needs=(frozenset({fields.EMAIL}),),
        gives=frozenset({fields.EMAIL_STATUS, fields.IS_DISPOSABLE}),
        family="email_check",
        also_reads=frozenset({fields.FIRST_NAME, fields.LAST_NAME}),
        ttl_hit=timedelta(days=30),
        ttl_miss=timedelta(days=1),
        concurrency=32,
        one_service=False,
        seconds=12.0,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The verdict. Raises: LookupFailed, Away: name servers do not answer, so nothing is known."""
        given = question.text(fields.EMAIL) or ""
        try:
            address = parse_email(given)
        except InvalidValue as error:
            verdict = EmailVerdict(EmailStatus.INVALID, 0.99, "syntax", f"This is no email address. {error}")
            return _found(question, verdict, None)
        local, _, domain = address.norm.rpartition("@")
        try:
            known = await _looked_up(domain, fetcher)
        except NoInternet as error:
            raise Away(error.sentence) from error  # which is stored, so that the page of the lead shows it
        names = frozenset(
            name.casefold() for field in (fields.FIRST_NAME, fields.LAST_NAME) if (name := question.text(field))
        )
        sign = find_role(local.partition("+")[0] or local, names)
        return _found(question, verdict_of(known, sign.because if sign else None), known)


def _found(question: Question, verdict: EmailVerdict, domain: MailDomain | None) -> Answer:
    collected = CollectedFacts(question.asked_at)
    quote = ", ".join(domain.servers[:3]) if domain else None
    collected.add(
        fields.EMAIL_STATUS, verdict.status.value, verdict.confidence, verdict.check, verdict.reason, quote=quote
    )
    if verdict.check in {"disposable_mx", "disposable_list"}:
        collected.add(fields.IS_DISPOSABLE, value=True, confidence=0.95, method=verdict.check, evidence=verdict.reason)
    return collected.answer(verdict.reason)


async def _looked_up(domain: str, fetcher: Fetcher) -> MailDomain:
    """Knowledge about a domain. Raises: LookupFailed."""
    try:
        servers = mail_servers((await fetcher.records(domain, RecordType.MX)).records)
        has_address = bool(servers.hosts) or servers.refuses or await _has_address(domain, fetcher)
    except (NameNotFound, TargetRefused):
        return MailDomain(domain, exists=False)
    found = provider_of_servers(servers.hosts, domain)
    return MailDomain(
        domain,
        exists=True,
        servers=servers.hosts,
        refuses=servers.refuses,
        has_address=has_address,
        provider=found[0] if found else None,
        disposable=disposable_provider(domain),
        parked=next(filter(is_parking_host, servers.hosts), None),
    )


async def _has_address(domain: str, fetcher: Fetcher) -> bool:
    for type_ in _ADDRESS_TYPES:
        if (await fetcher.records(domain, type_)).records:
            return True
    return False
