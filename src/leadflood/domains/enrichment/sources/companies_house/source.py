"""The Companies House source: the profile of a British company by its number."""

import base64
import re
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

ADDRESS: Final = "https://api.company-information.service.gov.uk/company/{}"
_PUBLIC: Final = "https://find-and-update.company-information.service.gov.uk/company/{}"
_NAME: Final = "Companies House"
_SURE: Final = 0.97
_PART: Final = re.compile(r"[^\W_]+")
_KEPT_SMALL: Final = frozenset({"and", "of", "the"})


class CompaniesHouse:
    """Asks Companies House, with the user's own free key."""

    spec = SourceSpec(
        name="companies_house",
        version="1",
        label="Companies House",
        subject=SubjectKind.COMPANY,
        speed=Speed.NETWORK,
        needs=(frozenset({fields.COMPANY_NUMBER}),),
        gives=frozenset(
            {
                fields.COMPANY_NUMBER,
                fields.LEGAL_NAME,
                fields.STATUS,
                fields.FOUNDED,
                fields.STREET,
                fields.CITY,
                fields.REGION,
                fields.POSTAL_CODE,
                fields.COUNTRY,
            }
        ),
        family="companies_house",
        ttl_hit=timedelta(days=90),
        ttl_miss=timedelta(days=90),
        rate=Rate(500, 300.0),
        concurrency=4,
        seconds=15.0,
    )

    def __init__(self, key: str) -> None:
        """Args: key: of the REST API, from the developer hub of Companies House."""
        token = base64.b64encode(f"{key}:".encode()).decode("ascii")
        self._headers = {"authorization": f"Basic {token}"}

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The facts of the profile. Raises: KeyRejected, Away, Busy, DoorError."""
        number = question.text(fields.COMPANY_NUMBER) or ""
        reply = await fetcher.data(ADDRESS.format(number), headers=self._headers)
        value = require_reply(reply, _NAME)
        if not isinstance(value, dict):
            return Missed(f"Companies House has no company with the number {number}.")
        facts = _facts(value, number, question).facts
        return Found(facts) if facts else Missed(f"The profile of the company {number} is empty.")


def _facts(value: Mapping[str, Any], number: str, question: Question) -> RegisterFacts:
    facts = RegisterFacts(
        value,
        question.asked_at,
        _PUBLIC.format(number),
        confidence=_SURE,
        evidence=f"From the Companies House record of company {number}.",
    )
    written = text_at(value, "company_name")
    facts.state(fields.LEGAL_NAME, written and spelled(written), written)
    facts.state_at(fields.COMPANY_NUMBER, "company_number")
    facts.state_at(fields.STATUS, "company_status")
    for field, name in (
        (fields.STREET, "address_line_1"),
        (fields.CITY, "locality"),
        (fields.REGION, "region"),
        (fields.POSTAL_CODE, "postal_code"),
    ):
        facts.state_at(field, "registered_office_address", name, weight=0.85)
    facts.state_year_at(fields.FOUNDED, "date_of_creation", weight=0.9)
    facts.state(fields.COUNTRY, "GB", number, 0.95)
    return facts


def spelled(name: str) -> str:
    """A name that the register writes in capitals, as people write it: ACME (UK) LTD is Acme (UK) Ltd.

    Words of up to three letters without a vowel stay, because they are mostly initials.
    """
    if name != name.upper():
        return name
    words = [_word(word, first=place == 0) for place, word in enumerate(name.split(" "))]
    return " ".join(words)


def _word(word: str, *, first: bool) -> str:
    letters = word.strip("().,&'-")
    if letters in {"PLC", "LLP", "UK", "GB", "EU", "USA", "IT"}:
        return word
    if letters.lower() in _KEPT_SMALL and not first:
        return word.lower()
    initials = 1 < len(letters) <= 3 and letters.isalpha() and not set(letters) & set("AEIOUY")  # noqa: PLR2004
    if initials and letters != "LTD":
        return word
    return _PART.sub(lambda part: part[0][:1] + part[0][1:].lower(), word)
