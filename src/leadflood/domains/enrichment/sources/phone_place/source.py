"""The phone source: country and time zone by the numbering plans. Instant."""

from datetime import timedelta
from typing import Final

import phonenumbers

from leadflood.domains.enrichment.models import Answer, Fetcher, Question, SourceSpec, Speed, SubjectKind
from leadflood.domains.enrichment.models import lead_fields as fields
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.kernel.time_zones import time_zone_of_phone, time_zone_of_place

_LANDLINE: Final = 0.9
_MOBILE: Final = 0.7
"""People keep a mobile number when they move."""
_NOWHERE: Final = "001"
"""The library's region for numbers that belong to no country, such as +800."""


class PhonePlace:
    """Reads the country code and area code of a phone number; the time zone also from the country alone."""

    spec = SourceSpec(
        name="phone_place",
        version="1",
        label="Phone number",
        subject=SubjectKind.LEAD,
        speed=Speed.INSTANT,
        needs=(frozenset({fields.PHONE}), frozenset({fields.COUNTRY})),
        gives=frozenset({fields.COUNTRY, fields.TIME_ZONE}),
        family="phone_place",
        ttl_hit=timedelta(days=365),
        ttl_miss=timedelta(days=365),
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:  # noqa: ARG002  it is asked like all sources
        """The country and the time zone. Never raises."""
        collected = CollectedFacts(question.asked_at)
        number, country = question.text(fields.PHONE), question.text(fields.COUNTRY)
        if number is not None:
            _of_phone(collected, number)
        if country is not None:
            zone = time_zone_of_place(country)
            collected.add(
                fields.TIME_ZONE, zone, 0.85, "country", "It is the time zone of the lead’s country.", quote=country
            )
        return collected.answer("The number belongs to no single country.")


def _of_phone(collected: CollectedFacts, number: str) -> None:
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return
    region = phonenumbers.region_code_for_number(parsed)
    fixed = phonenumbers.number_type(parsed) is phonenumbers.PhoneNumberType.FIXED_LINE
    confidence = _LANDLINE if fixed else _MOBILE
    if region and region != _NOWHERE:
        evidence = f"Phone numbers like this one, with +{parsed.country_code}, are of this country."
        collected.add(fields.COUNTRY, region, confidence, "calling_code", evidence, quote=number)
    zone = time_zone_of_phone(number)
    evidence = "It is the time zone of the number’s area code."
    collected.add(fields.TIME_ZONE, zone, confidence - 0.05, "area_code", evidence, quote=number)
