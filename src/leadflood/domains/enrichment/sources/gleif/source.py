"""The GLEIF source: a company's record by its LEI, or by its legal name where that leaves no doubt."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from rapidfuzz import fuzz

from leadflood.domains.enrichment.models import (
    Answer,
    Fetcher,
    Missed,
    Question,
    Rate,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.sources.register_replies import RegisterFacts, items_in, require_reply, text_at
from leadflood.kernel.company_name import company_key
from leadflood.kernel.text import search_key

ADDRESS: Final = "https://api.gleif.org/api/v1/lei-records"
_NAME: Final = "GLEIF"
_OF_NUMBER: Final = "From the company’s record in GLEIF, the worldwide register of companies ({})."
_SURE: Final = 0.97
_BY_NAME: Final = 0.85
_SIMILAR: Final = 92.0
"""Similarity of names, 0 to 100, below which two companies are different."""


class Gleif:
    """Asks the Global LEI Foundation. By name only with the country, and one more agreement: city or postal code."""

    spec = SourceSpec(
        name="gleif",
        version="1",
        label="GLEIF",
        subject=SubjectKind.COMPANY,
        speed=Speed.NETWORK,
        needs=(
            frozenset({fields.LEI}),
            frozenset({fields.LEGAL_NAME, fields.COUNTRY, fields.CITY}),
            frozenset({fields.LEGAL_NAME, fields.COUNTRY, fields.POSTAL_CODE}),
        ),
        gives=frozenset(
            {
                fields.LEI,
                fields.LEGAL_NAME,
                fields.STREET,
                fields.POSTAL_CODE,
                fields.CITY,
                fields.COUNTRY,
                fields.REGISTER_NUMBER,
                fields.STATUS,
            }
        ),
        family="gleif",
        ttl_hit=timedelta(days=90),
        ttl_miss=timedelta(days=90),
        rate=Rate(50, 60.0),
        concurrency=4,
        seconds=15.0,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The company's record. Raises: Away, Busy, DoorError."""
        lei = question.text(fields.LEI)
        if lei is not None:
            reply = await fetcher.data(f"{ADDRESS}/{quote(lei, safe='')}")
            value = require_reply(reply, _NAME)
            if value is None:
                return Missed(f"GLEIF has no record of the LEI {lei}.")
            return _answer(reply.url, question, _mapping(value, "data"), _SURE, _OF_NUMBER.format(lei))
        name = question.text(fields.LEGAL_NAME) or ""
        query = urlencode({"filter[entity.legalName]": name, "page[size]": 10})
        reply = await fetcher.data(f"{ADDRESS}?{query}")
        records = items_in(require_reply(reply, _NAME), "data")
        same = [record for record in records if _is_same(record, question)]
        if len(same) != 1:
            number = "no company" if not same else "several companies"
            return Missed(f"GLEIF has {number} with this name in this place.")
        evidence = f"GLEIF has one company called {name} in this place."
        return _answer(reply.url, question, same[0], _BY_NAME, evidence)


def _answer(url: str, question: Question, record: Mapping[str, Any], confidence: float, evidence: str) -> Answer:
    attributes = _mapping(record, "attributes")
    facts = RegisterFacts(attributes, question.asked_at, url, confidence=confidence, evidence=evidence)
    facts.state_at(fields.LEI, "lei")
    facts.state_at(fields.LEGAL_NAME, "entity", "legalName", "name")
    facts.state_at(fields.STATUS, "entity", "status")
    facts.state_at(fields.REGISTER_NUMBER, "entity", "registeredAs", weight=0.95)
    for place, weight in (("headquartersAddress", 1.0), ("legalAddress", 0.85)):
        facts.state_at(fields.POSTAL_CODE, "entity", place, "postalCode", weight=weight)
        facts.state_at(fields.CITY, "entity", place, "city", weight=weight)
        facts.state_at(fields.COUNTRY, "entity", place, "country", weight=weight)
        facts.state_at(fields.STREET, "entity", place, "addressLines", weight=weight)
    return facts.answer("GLEIF's record of the company is empty.")


def _is_same(record: Mapping[str, Any], question: Question) -> bool:
    """Whether a record is of the company: a similar name, the same country, and the same city or postal code."""
    entity = ("attributes", "entity")
    name = text_at(record, *entity, "legalName", "name") or ""
    wanted = question.text(fields.LEGAL_NAME) or ""
    if fuzz.ratio(company_key(name), company_key(wanted)) < _SIMILAR:
        return False
    for place in ("headquartersAddress", "legalAddress"):
        if text_at(record, *entity, place, "country") != question.text(fields.COUNTRY):
            continue
        city, code = text_at(record, *entity, place, "city"), text_at(record, *entity, place, "postalCode")
        if _equal(city, question.text(fields.CITY)) or _equal(code, question.text(fields.POSTAL_CODE)):
            return True
    return False


def _equal(one: str | None, other: str | None) -> bool:
    return bool(one and other) and search_key(one or "") == search_key(other or "")


def _mapping(value: Any, key: str) -> Mapping[str, Any]:  # noqa: ANN401  JSON
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
