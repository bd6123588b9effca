"""The sources of Hunter (API v2)."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any, Final
from urllib.parse import urlencode

from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Charge,
    Fetcher,
    Found,
    Missed,
    ProviderReply,
    Question,
    Rate,
    Repeat,
    Source,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import company_fields as company
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.models.providers import Provider
from leadflood.domains.enrichment.sources.provider_replies import (
    ProviderFacts,
    ReplyClass,
    ReplyRules,
    list_at,
    mapping_at,
    number_at,
    raise_failure,
    require_value,
)
from leadflood.domains.enrichment.sources.register_replies import text_at

ORIGIN: Final = "https://api.hunter.io"
LABEL: Final = "Hunter"
_STILL_VERIFYING: Final = 202
_REMOTE_SERVER: Final = 222
_RULES: Final = ReplyRules(
    label=LABEL,
    statuses={403: ReplyClass.BUSY, 429: ReplyClass.OUT_OF_CREDITS, _REMOTE_SERVER: ReplyClass.BUSY},
    ids={
        "authentication_failed": ReplyClass.KEY_REJECTED,
        "restricted_account": ReplyClass.KEY_REJECTED,
        "claimed_email": ReplyClass.OBJECTED,
        "disposable_email": ReplyClass.MISS,
        "webmail_email": ReplyClass.MISS,
        "webmail_domain": ReplyClass.MISS,
    },
    wait=timedelta(minutes=1),
)
_VERIFYING: Final = ReplyRules(label=LABEL, statuses={_STILL_VERIFYING: ReplyClass.BUSY}, wait=timedelta(seconds=30))
_PERCENT: Final = 100
_EMAILS: Final = 10
"""Addresses that one credit of a domain search includes."""


class _Hunter:
    """A call of Hunter, with the key in a header."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def _get(self, fetcher: Fetcher, path: str, **query: str) -> ProviderReply:
        url = f"{ORIGIN}/v2/{path}" + (f"?{urlencode(query)}" if query else "")
        return await fetcher.call("GET", url, headers={"x-api-key": self._key}, secrets=[self._key])

    async def _used(self, fetcher: Fetcher, kind: str) -> int:
        """Units used in the present period: of the plan's one kind of credits, or of its own kind."""
        value = require_value(await self._get(fetcher, "account"), _RULES)
        requests = mapping_at(value, "data", "requests")
        for name in ("credits", kind):
            used = number_at(requests, name, "used")
            if used is not None:
                return ceil(used)
        raise Away(f"{LABEL} does not say how many credits are used.")


class DomainSearch(_Hunter):
    """Asks for the addresses of a company's departments, and what Hunter knows of the company."""

    spec = SourceSpec(
        name="hunter_domain_search",
        version="1",
        label="Hunter domain search",
        subject=SubjectKind.COMPANY,
        speed=Speed.PAID,
        needs=(frozenset({company.DOMAIN}),),
        gives=frozenset(
            {
                company.EMAIL,
                company.NAME,
                company.DESCRIPTION,
                company.INDUSTRY,
                company.EMPLOYEE_RANGE,
                company.TECHNOLOGY,
                company.COUNTRY,
                company.REGION,
                company.CITY,
                company.POSTAL_CODE,
                company.STREET,
                company.PROFILE,
            }
        ),
        family="hunter",
        charges=Charge.ON_HIT,
        most_units=1,
        repeat=Repeat.RECONCILE,
        rate=Rate(500, 60.0),
        concurrency=4,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """Addresses of departments only, which are no data of persons. Raises: SourceFailure, DoorError."""
        domain = question.text(company.DOMAIN) or ""
        reply = await self._get(fetcher, "domain-search", domain=domain, type="generic", limit=str(_EMAILS))
        data = mapping_at(require_value(reply, _RULES), "data")
        emails = [item for item in list_at(data, "emails", most=_EMAILS) if isinstance(item, dict)]
        facts = ProviderFacts(
            data, question.asked_at, self.spec.gives, evidence=f"From Hunter's search for {domain}.", sure=0.75
        )
        for item in emails:
            sure = number_at(item, "confidence") or 0
            facts.state(company.EMAIL, text_at(item, "value"), sure / _PERCENT / 0.75, quote=text_at(item, "value"))
        for field, name in (
            (company.NAME, "organization"),
            (company.DESCRIPTION, "description"),
            (company.INDUSTRY, "industry"),
            (company.EMPLOYEE_RANGE, "headcount"),
            (company.COUNTRY, "country"),
            (company.REGION, "state"),
            (company.CITY, "city"),
            (company.POSTAL_CODE, "postal_code"),
            (company.STREET, "street"),
            (company.PROFILE, "linkedin"),
            (company.PROFILE, "twitter"),
            (company.PROFILE, "facebook"),
        ):
            facts.state_at(field, name)
        facts.state_all_at(company.TECHNOLOGY, "technologies", weight=0.8)
        return facts.answer(f"{LABEL} knows nothing of {domain}.", units=1 if emails else 0)

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`."""
        return await self._used(fetcher, "searches")


class EmailFinder(_Hunter):
    """Asks for the professional address of a person by name and domain, with their position and phone number."""

    spec = SourceSpec(
        name="hunter_email_finder",
        version="1",
        label="Hunter email finder",
        subject=SubjectKind.LEAD,
        speed=Speed.PAID,
        needs=(frozenset({person.FIRST_NAME, person.LAST_NAME, person.COMPANY_DOMAIN}),),
        gives=frozenset({person.EMAIL, person.JOB_TITLE, person.PHONE, person.COMPANY_NAME}),
        family="hunter",
        charges=Charge.ON_HIT,
        most_units=1,
        repeat=Repeat.RECONCILE,
        rate=Rate(500, 60.0),
        concurrency=4,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The address and what comes with it. Raises: SourceFailure, DoorError."""
        domain = question.text(person.COMPANY_DOMAIN) or ""
        reply = await self._get(
            fetcher,
            "email-finder",
            domain=domain,
            first_name=question.text(person.FIRST_NAME) or "",
            last_name=question.text(person.LAST_NAME) or "",
        )
        data = mapping_at(require_value(reply, _RULES), "data")
        email = text_at(data, "email")
        if email is None:
            return Missed(f"{LABEL} has no address of this person at {domain}.")
        sure = (number_at(data, "score") or 0) / _PERCENT
        evidence = f"From Hunter, for this name at {domain}."
        facts = ProviderFacts(data, question.asked_at, self.spec.gives, evidence=evidence, sure=sure)
        facts.state_at(person.EMAIL, "email")
        facts.state_at(person.JOB_TITLE, "position", weight=0.9)
        facts.state_at(person.PHONE, "phone_number", weight=0.8)
        facts.state_at(person.COMPANY_NAME, "company", weight=0.9)
        return facts.answer(f"{LABEL} has no address of this person at {domain}.", units=1)

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`."""
        return await self._used(fetcher, "searches")


class EmailVerifier(_Hunter):
    """Asks whether an address accepts mail."""

    spec = SourceSpec(
        name="hunter_email_verifier",
        version="1",
        label="Hunter email verifier",
        subject=SubjectKind.LEAD,
        speed=Speed.PAID,
        needs=(frozenset({person.EMAIL}),),
        gives=frozenset({person.EMAIL_STATUS, person.IS_DISPOSABLE, person.IS_FREE_MAIL}),
        family="hunter",
        charges=Charge.ON_CALL,
        most_units=1,
        repeat=Repeat.RECONCILE,
        ttl_hit=timedelta(days=30),
        rate=Rate(300, 60.0),
        concurrency=4,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The verdict. 202 and 222 come while the mail server is still being asked: then it is asked again, for free.

        Raises: SourceFailure, DoorError.
        """
        email = question.text(person.EMAIL) or ""
        reply = await self._get(fetcher, "email-verifier", email=email)
        if reply.status == _STILL_VERIFYING:
            raise_failure(ReplyClass.BUSY, reply, _VERIFYING)
        value = require_value(reply, _RULES)
        if value is None:
            return Missed(f"{LABEL} does not check addresses of this kind.")
        data = mapping_at(value, "data")
        status, sure = _verdict(data)
        evidence = "Hunter asked the mail server of this address."
        facts = ProviderFacts(data, question.asked_at, self.spec.gives, evidence=evidence, sure=sure)
        facts.state(person.EMAIL_STATUS, status, quote=text_at(data, "status"))
        facts.state_flag_at(person.IS_DISPOSABLE, "disposable")
        facts.state_flag_at(person.IS_FREE_MAIL, "webmail")
        if status is None:
            return Missed(f"{LABEL} could not find out whether the address accepts mail.", timedelta(days=7), units=1)
        return Found(facts.facts, units=1)

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`."""
        return await self._used(fetcher, "verifications")


def _verdict(data: Any) -> tuple[str | None, float]:  # noqa: ANN401  JSON
    """The status of the address, and how sure it is; None for one that could not be checked."""
    status, result = text_at(data, "status"), text_at(data, "result")
    if status == "invalid" or result == "undeliverable":
        return "invalid", 0.95
    if status == "valid":
        return "valid", 0.95
    if status in {"accept_all", "disposable"} or result == "risky":
        return "risky", 0.8
    if status == "webmail" and result == "deliverable":
        return "valid", 0.85
    return None, 0.5


def _sources(key: str) -> Sequence[Source]:
    return (DomainSearch(key), EmailFinder(key), EmailVerifier(key))


PROVIDER: Final = Provider(
    name="hunter",
    label=LABEL,
    origin=ORIGIN,
    unit="credit",
    help="Your key is on the page API of your account at hunter.io.",
    sources=_sources,
)
