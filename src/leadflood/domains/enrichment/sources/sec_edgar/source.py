"""The SEC EDGAR source: the submissions record of a company by its CIK."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from leadflood.domains.enrichment.models import (
    Answer,
    FactField,
    Fetcher,
    Found,
    Missed,
    Question,
    Rate,
    SourceSpec,
    Speed,
    SubjectKind,
)
from leadflood.domains.enrichment.models import company_fields as fields
from leadflood.domains.enrichment.sources.collected_facts import CollectedFacts
from leadflood.domains.enrichment.sources.register_replies import require_reply, text_at
from leadflood.kernel.phone_number import normalise_phone
from leadflood.kernel.text import InvalidValue

ADDRESS: Final = "https://data.sec.gov/submissions/CIK{}.json"
_NAME: Final = "SEC EDGAR"
_SURE: Final = 0.95
_FORBIDDEN: Final = (
    "SEC EDGAR answers only programs that name a contact. An administrator can set LEADFLOOD_CRAWLER_CONTACT."
)
_NO_STATE: Final = 2
"""Length of the codes of states; those of other countries have a digit."""


class SecEdgar:
    """Asks EDGAR for a company by its number. The name alone is never enough."""

    spec = SourceSpec(
        name="sec_edgar",
        version="1",
        label="SEC EDGAR",
        subject=SubjectKind.COMPANY,
        speed=Speed.NETWORK,
        needs=(frozenset({fields.CIK}),),
        gives=frozenset(
            {
                fields.CIK,
                fields.LEGAL_NAME,
                fields.INDUSTRY,
                fields.PHONE,
                fields.STREET,
                fields.CITY,
                fields.REGION,
                fields.POSTAL_CODE,
                fields.COUNTRY,
                fields.TICKER,
                fields.WEBSITE,
                fields.LEI,
            }
        ),
        family="sec_edgar",
        ttl_hit=timedelta(days=90),
        ttl_miss=timedelta(days=90),
        rate=Rate(8, 1.0),
        concurrency=4,
        seconds=15.0,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The facts of the record. Raises: Refused: no contact is set. Away, Busy, DoorError."""
        number = (question.text(fields.CIK) or "").lstrip("0")
        reply = await fetcher.data(ADDRESS.format(number.zfill(10)))
        value = require_reply(reply, _NAME, forbidden=_FORBIDDEN)
        if not isinstance(value, dict):
            return Missed(f"SEC EDGAR has no company with the CIK {number}.")
        facts = _facts(value, reply.url, question).facts
        return Found(facts) if facts else Missed(f"SEC EDGAR's record of the CIK {number} is empty.")


def _facts(value: Mapping[str, Any], url: str, question: Question) -> CollectedFacts:
    collected = CollectedFacts(question.asked_at, url)
    evidence = "The company's record at the SEC says so."

    def add(field: FactField, text: str | None, weight: float = 1.0) -> None:
        collected.add(field, text, round(_SURE * weight, 2), "register", evidence, quote=text)

    add(fields.CIK, text_at(value, "cik"))
    add(fields.LEGAL_NAME, text_at(value, "name"), 0.95)
    add(fields.INDUSTRY, text_at(value, "sicDescription"), 0.9)
    add(fields.WEBSITE, text_at(value, "website"), 0.9)
    add(fields.LEI, text_at(value, "lei"))
    tickers = value.get("tickers")
    for ticker in tickers[:20] if isinstance(tickers, list) else ():
        add(fields.TICKER, ticker if isinstance(ticker, str) else None)
    for place, weight in (("business", 1.0), ("mailing", 0.8)):
        address = ("addresses", place)
        add(fields.STREET, text_at(value, *address, "street1"), weight)
        add(fields.CITY, text_at(value, *address, "city"), weight)
        add(fields.POSTAL_CODE, text_at(value, *address, "zipCode"), weight)
        state = text_at(value, *address, "stateOrCountry")
        if state and state.isalpha() and len(state) == _NO_STATE:
            add(fields.REGION, state, weight)
            add(fields.COUNTRY, "US", weight)
    add(fields.PHONE, _phone(text_at(value, "phone")), 0.9)
    return collected


def _phone(text: str | None) -> str | None:
    """The number in E.164. Those of other countries are written without a plus, and are left out."""
    try:
        return normalise_phone(text, "US") if text else None
    except InvalidValue:
        return None
