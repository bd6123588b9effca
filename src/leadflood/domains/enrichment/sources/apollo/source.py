"""The sources of Apollo that answer immediately (API v1)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from leadflood.domains.enrichment.models import (
    Answer,
    Charge,
    Fetcher,
    Missed,
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
from leadflood.domains.enrichment.sources.apollo.calls import LABEL, ORIGIN, RULES, ApolloCalls, identity
from leadflood.domains.enrichment.sources.apollo.waterfall import PhoneWaterfall
from leadflood.domains.enrichment.sources.provider_replies import (
    ProviderFacts,
    list_at,
    mapping_at,
    require_value,
)
from leadflood.domains.enrichment.sources.register_replies import text_at

_EMAIL_STATUS: Final = {"verified": "valid", "unavailable": None, "extrapolated": "risky", "catch_all": "risky"}


class PeopleMatch:
    """Asks for the record of a person by email, or by name and domain."""

    spec = SourceSpec(
        name="apollo_person",
        version="1",
        label="Apollo, persons",
        subject=SubjectKind.LEAD,
        speed=Speed.PAID,
        needs=(
            frozenset({person.EMAIL}),
            frozenset({person.FIRST_NAME, person.LAST_NAME, person.COMPANY_DOMAIN}),
        ),
        gives=frozenset(
            {
                person.FIRST_NAME,
                person.LAST_NAME,
                person.JOB_TITLE,
                person.SENIORITY,
                person.JOB_FUNCTION,
                person.COUNTRY,
                person.COMPANY_NAME,
                person.EMAIL_STATUS,
            }
        ),
        family="apollo",
        charges=Charge.ON_HIT,
        most_units=1,
        repeat=Repeat.RECONCILE,
        rate=Rate(50, 60.0),
        concurrency=4,
    )

    def __init__(self, key: str) -> None:
        self._calls = ApolloCalls(key)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The record, without private addresses and phone numbers. Raises: SourceFailure, DoorError."""
        reply = await self._calls.call(fetcher, "POST", "people/match", **identity(question))
        found = mapping_at(require_value(reply, RULES), "person")
        if not found:
            return Missed(f"{LABEL} does not know this person.")
        evidence = "From Apollo's record of this person."
        facts = ProviderFacts(found, question.asked_at, self.spec.gives, evidence=evidence, sure=0.82)
        facts.state_at(person.FIRST_NAME, "first_name")
        facts.state_at(person.LAST_NAME, "last_name")
        facts.state_at(person.JOB_TITLE, "title")
        facts.state_at(person.SENIORITY, "seniority", weight=0.95)
        facts.state_at(person.JOB_FUNCTION, "functions", weight=0.9)
        facts.state_at(person.COUNTRY, "country", weight=0.95)
        facts.state_at(person.COMPANY_NAME, "organization", "name")
        status = text_at(found, "email_status")
        facts.state(person.EMAIL_STATUS, _EMAIL_STATUS.get(status or ""), quote=status)
        return facts.answer(
            f"{LABEL} knows this person, but none of the wanted values.", units=1, provider_ref=text_at(found, "id")
        )

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`."""
        return await self._calls.used(fetcher)


class OrganizationEnrichment:
    """Asks for the record of a company by domain."""

    spec = SourceSpec(
        name="apollo_company",
        version="1",
        label="Apollo, companies",
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
                company.FOUNDED,
                company.PHONE,
                company.TECHNOLOGY,
                company.PROFILE,
                company.COUNTRY,
                company.REGION,
                company.CITY,
                company.POSTAL_CODE,
                company.STREET,
            }
        ),
        family="apollo",
        charges=Charge.ON_HIT,
        most_units=1,
        repeat=Repeat.RECONCILE,
        ttl_hit=timedelta(days=90),
        rate=Rate(50, 60.0),
        concurrency=4,
    )

    def __init__(self, key: str) -> None:
        self._calls = ApolloCalls(key)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The record. Raises: SourceFailure, DoorError."""
        domain = question.text(company.DOMAIN) or ""
        reply = await self._calls.call(fetcher, "GET", "organizations/enrich", domain=domain)
        found = mapping_at(require_value(reply, RULES), "organization")
        if not found:
            return Missed(f"{LABEL} does not know {domain}.")
        evidence = f"From Apollo's record of {domain}."
        facts = ProviderFacts(found, question.asked_at, self.spec.gives, evidence=evidence, sure=0.82)
        facts.state_at(company.NAME, "name")
        facts.state_at(company.DESCRIPTION, "short_description")
        facts.state_at(company.INDUSTRY, "industry")
        facts.state_all_at(company.KEYWORD, "keywords", weight=0.7)
        facts.state_number_at(company.EMPLOYEES, "estimated_num_employees", weight=0.85)
        facts.state_number_at(company.FOUNDED, "founded_year")
        facts.state_at(company.PHONE, "primary_phone", "number", weight=0.9)
        facts.state_at(company.PHONE, "phone", weight=0.9)
        facts.state_all_at(company.TECHNOLOGY, "technology_names", weight=0.85)
        for item in list_at(found, "current_technologies"):
            facts.state(company.TECHNOLOGY, text_at(item, "name"), 0.85)
        for name in ("linkedin_url", "twitter_url", "facebook_url"):
            facts.state_at(company.PROFILE, name, weight=0.95)
        for field, name in (
            (company.COUNTRY, "country"),
            (company.REGION, "state"),
            (company.CITY, "city"),
            (company.POSTAL_CODE, "postal_code"),
            (company.STREET, "street_address"),
        ):
            facts.state_at(field, name)
        return facts.answer(
            f"{LABEL} knows {domain}, but none of the wanted values.", units=1, provider_ref=text_at(found, "id")
        )

    async def usage(self, fetcher: Fetcher) -> int:
        """See `MeteredSource.usage`."""
        return await self._calls.used(fetcher)


def _sources(key: str) -> Sequence[Source]:
    return (PeopleMatch(key), OrganizationEnrichment(key), PhoneWaterfall(key))


PROVIDER: Final = Provider(
    name="apollo",
    label=LABEL,
    origin=ORIGIN,
    unit="credit",
    help="Create a key with the scopes people/match, organizations/enrich, webhook_result and usage_stats in Apollo.",
    sources=_sources,
)
