"""The sources of People Data Labs (API v5)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from leadflood.domains.enrichment.models import (
    Answer,
    Away,
    Busy,
    Charge,
    Fetcher,
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
from leadflood.domains.enrichment.sources.people_data_labs.titles import spelled_title
from leadflood.domains.enrichment.sources.provider_replies import (
    ProviderFacts,
    ReplyClass,
    ReplyRules,
    header_number,
    header_time,
    mapping_at,
    number_at,
    require_value,
)
from leadflood.domains.enrichment.sources.register_replies import text_at

ORIGIN: Final = "https://api.peopledatalabs.com"
LABEL: Final = "People Data Labs"
MIN_LIKELIHOOD: Final = 6
"""Of 10. Less likely matches are neither returned nor charged."""
_TOO_MANY: Final = 429
_RULES: Final = ReplyRules(
    label=LABEL,
    ids={"not_found": ReplyClass.MISS, "payment_required": ReplyClass.OUT_OF_CREDITS},
    wait=timedelta(minutes=1),
)
_UNKNOWN_PERSON: Final = "usage@leadflood.invalid"
"""No address ends in `.invalid` (RFC 2606), so asking for it is a miss, which is free."""


class _PeopleDataLabs:
    """A call of People Data Labs, with the key in a header."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def _get(self, fetcher: Fetcher, path: str, **query: str) -> ProviderReply:
        url = f"{ORIGIN}/v5/{path}?{urlencode(query)}"
        reply = await fetcher.call("GET", url, headers={"x-api-key": self._key}, secrets=[self._key])
        reset = header_time(reply, "x-ratelimit-reset")
        if reply.status == _TOO_MANY and reset is not None:
            raise Busy(f"{LABEL} received as many questions as it permits.", reset)
        return reply

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`: the counter comes with each answer, and a miss is free."""
        reply = await self._get(fetcher, "person/enrich", email=_UNKNOWN_PERSON)
        require_value(reply, _RULES)
        used = header_number(reply, "x-lifetime-used")
        if used is None:
            raise Away(f"{LABEL} does not say how many credits are used.")
        return used


class PersonEnrichment(_PeopleDataLabs):
    """Asks for the record of a person by email, or by name and company."""

    spec = SourceSpec(
        name="pdl_person",
        version="1",
        label="People Data Labs, persons",
        subject=SubjectKind.LEAD,
        speed=Speed.PAID,
        needs=(
            frozenset({person.EMAIL}),
            frozenset({person.FIRST_NAME, person.LAST_NAME, person.COMPANY_DOMAIN}),
        ),
        also_reads=frozenset({person.COMPANY_NAME}),
        gives=frozenset(
            {
                person.FIRST_NAME,
                person.LAST_NAME,
                person.JOB_TITLE,
                person.SENIORITY,
                person.JOB_FUNCTION,
                person.PHONE,
                person.COUNTRY,
                person.COMPANY_NAME,
            }
        ),
        family="people_data_labs",
        charges=Charge.ON_HIT,
        most_units=1,
        repeat=Repeat.RECONCILE,
        rate=Rate(100, 60.0),
        concurrency=4,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The record, if it is likely the same person. Raises: SourceFailure, DoorError."""
        email = question.text(person.EMAIL)
        known = {"email": email} if email else _by_name(question)
        reply = await self._get(fetcher, "person/enrich", **known, min_likelihood=str(MIN_LIKELIHOOD))
        value = require_value(reply, _RULES)
        if value is None or text_at(value, "status") == "404":
            return Missed(
                f"{LABEL} does not know this person.", units=header_number(reply, "x-call-credits-spent") or 0
            )
        likelihood = number_at(value, "likelihood") or MIN_LIKELIHOOD
        evidence = f"From People Data Labs, which is {likelihood:g} of 10 sure that it is this person."
        facts = ProviderFacts(
            mapping_at(value, "data"), question.asked_at, self.spec.gives, evidence=evidence, sure=0.9 * likelihood / 10
        )
        for field, name, weight in (
            (person.FIRST_NAME, "first_name", 1.0),
            (person.LAST_NAME, "last_name", 1.0),
            (person.JOB_FUNCTION, "job_title_role", 0.9),
            (person.SENIORITY, "job_title_levels", 0.9),
            (person.PHONE, "mobile_phone", 0.9),
            (person.PHONE, "phone_numbers", 0.8),
            (person.COUNTRY, "location_country", 0.95),
            (person.COMPANY_NAME, "job_company_name", 0.95),
        ):
            facts.state_at(field, name, weight=weight)
        title = text_at(value, "data", "job_title")
        facts.state(person.JOB_TITLE, None if title is None else spelled_title(title), 0.95, quote=title)
        return facts.answer(
            f"{LABEL} knows this person, but none of the wanted values.",
            units=_spent(reply),
            provider_ref=text_at(value, "data", "id"),
        )


class CompanyEnrichment(_PeopleDataLabs):
    """Asks for the record of a company by domain."""

    spec = SourceSpec(
        name="pdl_company",
        version="1",
        label="People Data Labs, companies",
        subject=SubjectKind.COMPANY,
        speed=Speed.PAID,
        needs=(frozenset({company.DOMAIN}),),
        gives=frozenset(
            {
                company.NAME,
                company.DESCRIPTION,
                company.INDUSTRY,
                company.KEYWORD,
                company.EMPLOYEES,
                company.EMPLOYEE_RANGE,
                company.FOUNDED,
                company.TICKER,
                company.PROFILE,
                company.COUNTRY,
                company.REGION,
                company.CITY,
                company.POSTAL_CODE,
                company.STREET,
            }
        ),
        family="people_data_labs",
        charges=Charge.ON_HIT,
        most_units=1,
        repeat=Repeat.RECONCILE,
        ttl_hit=timedelta(days=90),
        rate=Rate(100, 60.0),
        concurrency=4,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The record. Raises: SourceFailure, DoorError."""
        domain = question.text(company.DOMAIN) or ""
        reply = await self._get(fetcher, "company/enrich", website=domain, min_likelihood=str(MIN_LIKELIHOOD))
        value = require_value(reply, _RULES)
        if value is None or text_at(value, "status") == "404":
            return Missed(f"{LABEL} does not know {domain}.", units=header_number(reply, "x-call-credits-spent") or 0)
        likelihood = number_at(value, "likelihood") or MIN_LIKELIHOOD
        evidence = f"From People Data Labs, for {domain}."
        facts = ProviderFacts(value, question.asked_at, self.spec.gives, evidence=evidence, sure=0.9 * likelihood / 10)
        facts.state_at(company.NAME, "display_name")
        facts.state_at(company.NAME, "name", weight=0.9)
        facts.state_at(company.DESCRIPTION, "summary")
        facts.state_at(company.INDUSTRY, "industry")
        facts.state_all_at(company.KEYWORD, "tags", weight=0.8)
        facts.state_number_at(company.EMPLOYEES, "employee_count", weight=0.8)
        facts.state_at(company.EMPLOYEE_RANGE, "size")
        facts.state_number_at(company.FOUNDED, "founded")
        facts.state_at(company.TICKER, "ticker")
        facts.state_at(company.PROFILE, "linkedin_url")
        for field, name in (
            (company.COUNTRY, "country"),
            (company.REGION, "region"),
            (company.CITY, "locality"),
            (company.POSTAL_CODE, "postal_code"),
            (company.STREET, "street_address"),
        ):
            facts.state_at(field, "location", name)
        return facts.answer(
            f"{LABEL} knows {domain}, but none of the wanted values.",
            units=_spent(reply),
            provider_ref=text_at(value, "id"),
        )


def _by_name(question: Question) -> dict[str, str]:
    place = question.text(person.COMPANY_NAME) or question.text(person.COMPANY_DOMAIN) or ""
    first, last = question.text(person.FIRST_NAME) or "", question.text(person.LAST_NAME) or ""
    return {"first_name": first, "last_name": last, "company": place}


def _spent(reply: ProviderReply) -> int:
    """Credits that a match cost, by the provider's own word; 1 where it says nothing."""
    spent = header_number(reply, "x-call-credits-spent")
    return 1 if spent is None else spent


def _sources(key: str) -> Sequence[Source]:
    return (PersonEnrichment(key), CompanyEnrichment(key))


PROVIDER: Final = Provider(
    name="people_data_labs",
    label=LABEL,
    origin=ORIGIN,
    unit="credit",
    help="Your key is on the page API Keys of the dashboard at peopledatalabs.com.",
    sources=_sources,
)
