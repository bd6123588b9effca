"""The place source of companies: the time zone of an address or phone number. Instant."""

from datetime import timedelta

from leadflood.domains.enrichment.models import Answer, Fetcher, Question, SourceSpec, Speed, SubjectKind
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.kernel.time_zones import time_zone_of_phone, time_zone_of_place


class CompanyPlace:
    """Reads country and region, then the area code of a phone number."""

    spec = SourceSpec(
        name="company_place",
        version="1",
        label="Place",
        subject=SubjectKind.COMPANY,
        speed=Speed.INSTANT,
        needs=(frozenset({fields.COUNTRY}), frozenset({fields.PHONE})),
        gives=frozenset({fields.TIME_ZONE}),
        family="company_place",
        also_reads=frozenset({fields.REGION}),
        ttl_hit=timedelta(days=365),
        ttl_miss=timedelta(days=365),
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:  # noqa: ARG002  it is asked like all sources
        """The time zone. Never raises."""
        collected = CollectedFacts(question.asked_at)
        country, region = question.text(fields.COUNTRY), question.text(fields.REGION)
        if country is not None:
            zone = time_zone_of_place(country, region)
            evidence = f"It is the time zone of the company’s {'region' if region else 'country'}."
            collected.add(fields.TIME_ZONE, zone, 0.9, "country", evidence, quote=region or country)
        if (number := question.text(fields.PHONE)) is not None:
            zone = time_zone_of_phone(number)
            evidence = "It is the time zone of the phone number’s area code."
            collected.add(fields.TIME_ZONE, zone, 0.75, "area_code", evidence, quote=number)
        return collected.answer("The country has several time zones.")
