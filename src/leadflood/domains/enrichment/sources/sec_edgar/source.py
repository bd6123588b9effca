"""The SEC EDGAR source: the submissions record of a company by its CIK."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from leadflood.domains.enrichment.models import (
    Answer,
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
from leadflood.domains.enrichment.sources.register_replies import RegisterFacts, require_reply, text_at
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


def _facts(value: Mapping[str, Any], url: str, question: Question) -> RegisterFacts:
    evidence = "From the company’s record at the SEC, the US authority for listed companies."
    facts = RegisterFacts(value, question.asked_at, url, confidence=_SURE, evidence=evidence)
    facts.state_at(fields.CIK, "cik")
    facts.state_at(fields.LEGAL_NAME, "name", weight=0.95)
    facts.state_at(fields.INDUSTRY, "sicDescription", weight=0.9)
    facts.state_at(fields.WEBSITE, "website", weight=0.9)
    facts.state_at(fields.LEI, "lei")
    tickers = value.get("tickers")
    for ticker in tickers[:20] if isinstance(tickers, list) else ():
        if isinstance(ticker, str):
            facts.state(fields.TICKER, ticker, ticker)
    for place, weight in (("business", 1.0), ("mailing", 0.8)):
        address = ("addresses", place)
        facts.state_at(fields.STREET, *address, "street1", weight=weight)
        facts.state_at(fields.CITY, *address, "city", weight=weight)
        facts.state_at(fields.POSTAL_CODE, *address, "zipCode", weight=weight)
        state = text_at(value, *address, "stateOrCountry")
        if state and state.isalpha() and len(state) == _NO_STATE:
            facts.state(fields.REGION, state, state, weight)
            facts.state(fields.COUNTRY, "US", "US", weight)
    phone = _phone(text_at(value, "phone"))
    facts.state(fields.PHONE, phone, phone, 0.9)
    return facts


def _phone(text: str | None) -> str | None:
    """The number in E.164. Those of other countries are written without a plus, and are left out."""
    try:
        return normalise_phone(text, "US") if text else None
    except InvalidValue:
        return None
