"""Companies of the small internet: 200 in ten countries, from a file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """A company of the demo.

    Attributes:
        domain: of its website and mail.
        name: the name that it trades under.
        legal_name: with its legal form.
        country: ISO 3166 code.
        language: of its pages, ISO 639.
        city: of its office.
        street: with house number.
        postal_code: of its office.
        industry: in English.
        founded: year.
        employees: number of employees.
        phone: in international form.
        identifiers: by kind: `vat`, `register`, `company_number`, `siren`, `cik`, `lei`.
        technologies: names of technologies of its website.
        mail: suffix of its MX records.
        markup: how its pages describe it: `json-ld`, `broken-json-ld`, `microdata`, `opengraph`, `meta` or `none`.
        address: of its web server.
    """

    domain: str
    name: str
    legal_name: str
    country: str
    language: str
    city: str
    street: str
    postal_code: str
    industry: str
    founded: int
    employees: int
    phone: str
    identifiers: dict[str, str]
    technologies: tuple[str, ...]
    mail: str
    markup: str
    address: str


@cache
def companies() -> Sequence[DemoCompany]:
    """All companies, from `world.jsonl`, which `scripts/generate_world.py` writes."""
    lines = files(__package__).joinpath("world.jsonl").read_text("utf-8").splitlines()
    return tuple(DemoCompany(**{**row, "technologies": tuple(row["technologies"])}) for row in map(json.loads, lines))


@cache
def company_of(host: str) -> DemoCompany | None:
    """The company of a host, with or without `www.`."""
    name = host.removeprefix("www.")
    return next((company for company in companies() if company.domain == name), None)
