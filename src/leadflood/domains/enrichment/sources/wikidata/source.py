"""The Wikidata source: the item whose official website (P856) is the company's domain."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

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
from leadflood.domains.enrichment.sources.register_replies import RegisterFacts, items_in, require_reply, text_at

ADDRESS: Final = "https://query.wikidata.org/sparql"
_NAME: Final = "Wikidata"
_SURE: Final = 0.85
_MAX_EMPLOYEES: Final = 20_000_000
_NAMES: Final = ("itemLabel", "inception", "employees", "country", "cityLabel", "industryLabel", "lei", "cik")
"""Names of the query's values that become facts."""

# Properties: website P856, country P17 with its code P297, headquarters P159, inception P571, employees P1128,
# industry P452, LEI P1278, CIK P5531, dissolved P576. An item that was dissolved is left out.
_QUERY: Final = """
SELECT ?item ?itemLabel ?website ?inception ?employees ?country ?cityLabel ?industryLabel ?lei ?cik WHERE {
  VALUES ?website { %(websites)s }
  ?item wdt:P856 ?website .
  FILTER NOT EXISTS { ?item wdt:P576 [] }
  OPTIONAL { ?item wdt:P571 ?inception } OPTIONAL { ?item wdt:P1128 ?employees }
  OPTIONAL { ?item wdt:P17/wdt:P297 ?country } OPTIONAL { ?item wdt:P159 ?city }
  OPTIONAL { ?item wdt:P452 ?industry } OPTIONAL { ?item wdt:P1278 ?lei } OPTIONAL { ?item wdt:P5531 ?cik }
  SERVICE wikibase:label { bd:serviceParam wikibase:language "en,de,fr,es,it,nl,sv,pl,mul" . }
} LIMIT 20
"""


class Wikidata:
    """Asks the Wikidata Query Service. Two items with the same website leave it open which is the company."""

    spec = SourceSpec(
        name="wikidata",
        version="1",
        label="Wikidata",
        subject=SubjectKind.COMPANY,
        speed=Speed.NETWORK,
        needs=(frozenset({fields.DOMAIN}),),
        gives=frozenset(
            {
                fields.WIKIDATA,
                fields.NAME,
                fields.FOUNDED,
                fields.EMPLOYEES,
                fields.COUNTRY,
                fields.CITY,
                fields.INDUSTRY,
                fields.LEI,
                fields.CIK,
            }
        ),
        family="wikidata",
        ttl_hit=timedelta(days=90),
        ttl_miss=timedelta(days=90),
        rate=Rate(30, 60.0),
        concurrency=1,
        seconds=20.0,
    )

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """The facts of the item. Raises: Away, Busy, DoorError."""
        domain = question.text(fields.DOMAIN) or ""
        reply = await fetcher.data(f"{ADDRESS}?{urlencode({'query': query_for(domain), 'format': 'json'})}")
        value = require_reply(reply, _NAME)
        rows = items_in(value.get("results") if isinstance(value, dict) else None, "bindings")
        items = {item for row in rows if (item := _item(row))}
        if len(items) != 1:
            number = "no item" if not items else "several items"
            return Missed(f"Wikidata has {number} with the website {domain}.")
        (item,) = items
        return Found(_facts(rows, item, question).facts)


def query_for(domain: str) -> str:
    """The query in SPARQL for the items with a domain as their website, in its usual spellings.

    A domain has no characters that end an address; others are left out, so that it cannot change the query.
    """
    plain = "".join(char for char in domain.lower() if char.isascii() and (char.isalnum() or char in ".-"))
    hosts = (plain, f"www.{plain}")
    spellings = (f"<{scheme}://{host}{end}>" for scheme in ("https", "http") for host in hosts for end in ("/", ""))
    return " ".join((_QUERY % {"websites": " ".join(spellings)}).split())


def _facts(rows: list[Mapping[str, Any]], item: str, question: Question) -> RegisterFacts:
    record = {name: _text(rows, name) for name in _NAMES}
    facts = RegisterFacts(
        record,
        question.asked_at,
        f"https://www.wikidata.org/wiki/{item}",
        confidence=_SURE,
        evidence=f"From the Wikidata page about the company with the website {question.text(fields.DOMAIN)}.",
    )
    facts.state(fields.WIKIDATA, item, item, 1.1)
    if record["itemLabel"] != item:  # an item without a label is shown by its number
        facts.state_at(fields.NAME, "itemLabel")
    facts.state_year_at(fields.FOUNDED, "inception")
    employees = record["employees"]
    if employees and employees.lstrip("+").isdigit() and 0 < int(employees) < _MAX_EMPLOYEES:
        facts.state(fields.EMPLOYEES, int(employees), employees, 0.8)
    facts.state_at(fields.COUNTRY, "country", weight=0.9)
    facts.state_at(fields.CITY, "cityLabel", weight=0.9)
    facts.state_at(fields.INDUSTRY, "industryLabel", weight=0.9)
    facts.state_at(fields.LEI, "lei")
    facts.state_at(fields.CIK, "cik")
    return facts


def _item(row: Mapping[str, Any]) -> str | None:
    address = text_at(row, "item", "value") or ""
    name = address.rpartition("/")[2]
    return name if name.startswith("Q") and name[1:].isdigit() else None


def _text(rows: list[Mapping[str, Any]], name: str) -> str | None:
    return next((text for row in rows if (text := text_at(row, name, "value"))), None)
