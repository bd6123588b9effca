"""Persons that the twins know: everyone at a company of the small internet whose address is first.last@domain."""

import zlib
from dataclasses import dataclass
from typing import Final

from leadflood.demo.internet.world import DemoCompany, company_of

_TITLES: Final = (
    ("Head of Sales", "head", "sales"),
    ("Chief Technology Officer", "c_suite", "engineering"),
    ("Marketing Manager", "manager", "marketing"),
    ("Software Engineer", "entry", "engineering"),
    ("Purchasing Director", "director", "operations"),
)
_UNKNOWN_OF_TEN: Final = 3
"""Of ten persons, those whom a provider does not know."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person with a title, seniority, function and mobile number."""

    email: str
    first_name: str
    last_name: str
    title: str
    seniority: str
    function: str
    mobile: str
    company: DemoCompany


def person_of(email: str, *, provider: str) -> DemoPerson | None:
    """The person with an address, if that provider knows them. Each provider knows others."""
    local, _, domain = email.strip().lower().partition("@")
    first, _, last = local.partition(".")
    company = company_of(domain)
    if company is None or not first or not last or _number(provider, email) % 10 < _UNKNOWN_OF_TEN:
        return None
    title, seniority, function = _TITLES[_number("title", email) % len(_TITLES)]
    mobile = f"+49151{_number('mobile', email) % 10_000_000:08d}"
    return DemoPerson(email.lower(), first.title(), last.title(), title, seniority, function, mobile, company)


def _number(*parts: str) -> int:
    return zlib.crc32("/".join(parts).lower().encode())
