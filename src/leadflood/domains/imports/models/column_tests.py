"""Tests of cells: whether they fit a target, by which headers are verified and columns detected."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final
from uuid import UUID

import phonenumbers
from publicsuffixlist import PublicSuffixList

from leadflood.domains.imports.models.cells import addresses_in
from leadflood.domains.imports.models.fields import Target
from leadflood.domains.imports.models.header_names import is_only_whose, match_header, name_key
from leadflood.domains.stages.models import default_stages
from leadflood.kernel.company_name import has_legal_form
from leadflood.kernel.country_names import normalise_country
from leadflood.kernel.name_lists import split_names
from leadflood.kernel.text import InvalidValue, search_key
from leadflood.kernel.web_address import normalise_website

_PHONE: Final = re.compile(
    r"(?:[^\W\d_]{1,10}[.:]?\s*)?[+(]?\d[\d\s().x/+-]{4,40}(?:(?:ext|x|dw)\.?\s*\d{1,6})?", re.IGNORECASE
)
_WRITTEN_AS_PHONE: Final = re.compile(r"\+|00[1-9]|\(?0\d{1,5}\)?[ /-]|\(\d{3}\)|\d{3}[ .-]\d{3}[ .-]\d{4}$")
_DATE: Final = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d\d)(?:[ T].*)?")
_NUMBER: Final = re.compile(r"[+-]?\d[\d.,' ]*%?")
_MIN_DIGITS: Final = 5
_NUMBERS_OF_OTHER_THINGS: Final = (
    "fax telefax pager id ids nr no number code zip plz postal postcode vat tax ust iban account customer order "
    "invoice date birthday geburtstag reference ref sku serial ssn kundennummer bestellnummer rechnung datum assistant"
)
_NO_PHONE: Final = frozenset(_NUMBERS_OF_OTHER_THINGS.split())
"""Words in headers of numbers other than the lead's phone number."""
_TITLES: Final = (
    "mr mrs ms miss mx sir madam mister dr prof professor doctor herr frau hr fr m mme mlle monsieur madame sr sra "
    "srta senor senora don dona sig sigra signor signora dott dottssa avv dhr mevr pan pani med dipl ing mag "
    "phd mba ba bsc msc llm di fru frk h"
)
_SALUTATIONS: Final = frozenset(_TITLES.split())
_SOCIAL: Final = re.compile(
    r"(?:^|\.)(?:linkedin|xing|facebook|fb|twitter|x|instagram|tiktok|youtube|github|medium|crunchbase|angel|t|wa|"
    r"googleusercontent|gravatar|licdn|gstatic|calendly|maps\.google)\.[a-z.]{2,6}$"
)
"""Hosts of profile pages, which are not websites of a lead."""
_RESERVED: Final = ("test", "example")
"""Reserved top-level domains (RFC 6761), used in samples."""
_FILE: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|pdf|docx?|xlsx?|ics|vcf)$", re.IGNORECASE)
_LETTER: Final = re.compile(r"[^\W\d_]")
_MAX_OF_A_NAME: Final = 120
_MIN_COUNTRY: Final = 4
_MOSTLY: Final = 0.6
_FORM_IN_LOWER_CASE: Final = re.compile(r"\S [a-z&. ]*(?:gmbh|mbh|gbr|ltd|llc|inc|sarl|ltda|oyj|kft|sro)\.?$")
_NAMES: Final = (Target.FIRST_NAME, Target.LAST_NAME, Target.FULL_NAME, Target.COMPANY)


def is_email(cell: str) -> bool:
    """Whether a cell consists of email addresses."""
    return "@" in cell and bool(addresses_in(cell))


def is_phone(cell: str) -> bool:
    """Whether a cell looks like a phone number."""
    return (
        sum(char.isdigit() for char in cell) >= _MIN_DIGITS
        and not _DATE.fullmatch(cell)
        and bool(_PHONE.fullmatch(cell) or "+" in cell)
    )


def is_website(cell: str) -> bool:
    """Whether a cell is a web address, but not of a profile, picture or file."""
    host = _host(cell)
    return bool(host) and not _SOCIAL.search(host) and not _FILE.search(cell)


@lru_cache(maxsize=4096)
def is_country(cell: str) -> bool:
    """Whether a cell is a country. A single letter, which can mean anything, is not."""
    try:
        normalise_country(cell)
    except InvalidValue:
        return False
    return len(cell) > 1


def has_several_words(cells: Sequence[str]) -> bool:
    """Whether most cells have several words."""
    return bool(cells) and sum(" " in cell for cell in cells) >= _MOSTLY * len(cells)


def content_kind(cells: Sequence[str]) -> str:
    """The kind of most values of a column; empty if it has none."""
    tests = {"email": is_email, "date": _is_date, "number": _is_number, "phone": is_phone, "website": is_website}
    if not cells:
        return ""
    return next((name for name, test in tests.items() if sum(map(test, cells)) >= _MOSTLY * len(cells)), "text")


def _is_public_website(cell: str) -> bool:
    """Whether a cell is a website in an existing top-level domain. User names and file names have dots, too."""
    if not is_website(cell):
        return False
    host = _host(cell)
    known = _public_suffixes().publicsuffix(host, accept_unknown=False) is not None
    return known or host.rpartition(".")[2] in _RESERVED


def _host(cell: str) -> str:
    if "@" in cell or " " in cell or "." not in cell:
        return ""
    try:
        return normalise_website(cell).split("/")[2].partition(":")[0]
    except InvalidValue:
        return ""


def _is_date(cell: str) -> bool:
    return bool(_DATE.fullmatch(cell))


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell)) and not _WRITTEN_AS_PHONE.match(cell)


def _is_name(cell: str) -> bool:
    """Whether a cell can be the name of a person or company."""
    return "@" not in cell and "://" not in cell and len(cell) <= _MAX_OF_A_NAME and bool(_LETTER.search(cell))


def _is_person(cell: str) -> bool:
    """Whether a cell can be a person's name, which has no legal form."""
    return _is_name(cell) and not _is_company(cell)


@lru_cache(maxsize=4096)
def _is_company(cell: str) -> bool:
    """Whether a cell is a name with a legal form, as companies have."""
    return _is_name(cell) and bool(has_legal_form(cell) or _FORM_IN_LOWER_CASE.search(cell))


def _is_job_title(cell: str) -> bool:
    return _is_name(cell) and not _SALUTATIONS.issuperset(name_key(cell).split())


def _is_called(cell: str) -> bool:
    """Whether a cell is written as only phone numbers are: with a country code, or in groups."""
    return is_phone(cell) and bool(_WRITTEN_AS_PHONE.match(cell))


def _is_called_abroad(cell: str) -> bool:
    """Whether a cell is a phone number with its country code."""
    if not cell.startswith(("+", "00")) or not is_phone(cell):
        return False
    try:
        number = phonenumbers.parse("+" + cell.lstrip("+0"), None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


def _has_digit(cell: str) -> bool:
    return "@" not in cell and any(map(str.isdigit, cell))


def _is_no_profile(cell: str) -> bool:
    return "@" not in cell and not _FILE.search(cell) and not _SOCIAL.search(_host(cell))


def _is_in_words(cell: str) -> bool:
    return _is_name(cell) and not any(map(str.isdigit, cell))


def _anything(_name: str, _cells: Sequence[str]) -> bool:
    return True


def _may_name_companies(name: str, _cells: Sequence[str]) -> bool:
    """Whether a header says nothing of its values, or that they name the lead, as *Customer* does."""
    match = match_header(name)
    return not name or is_only_whose(name) or (match is not None and match.target in _NAMES)


def _can_be_called(name: str, _cells: Sequence[str]) -> bool:
    return _NO_PHONE.isdisjoint(name_key(name).split())


def _is_spelled_out(_name: str, cells: Sequence[str]) -> bool:
    """Whether a cell has the name of a country. Two letters can also be a word or a state."""
    return any(len(cell) >= _MIN_COUNTRY for cell in cells)


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@dataclass(frozen=True, slots=True)
class ByContent:
    """Detection of a target by cells alone.

    Attributes:
        least: minimum share of cells that pass.
        confidence: confidence if all cells pass.
        unnamed_only: whether only columns without a name are detected.
        plausible: additional condition on header and cells.
    """

    test: Callable[[str], bool]
    least: float
    confidence: float
    unnamed_only: bool
    plausible: Callable[[str, Sequence[str]], bool] = _anything


def _are_of_several_people(_name: str, cells: Sequence[str]) -> bool:
    """Whether addresses can be those of the leads: a column with the same one in each row has an owner's."""
    return len(cells) < _SEVERAL or len({cell.casefold() for cell in cells}) > 1


def _is_short_names(cell: str) -> bool:
    """Whether a cell may have names of tags or lists: short, and not a number or an address."""
    names = split_names(cell)
    return bool(names) and all(len(name) <= _MAX_TAG and not name.replace(".", "").isdigit() for name in names)


_MAX_TAG: Final = 50
_SEVERAL: Final = 3


def _is_usual_stage(cell: str) -> bool:
    """Whether a cell names one of the default stages: other tools have stages of their own under the same header."""
    return search_key(cell) in _USUAL_STAGES


_USUAL_STAGES: Final = {search_key(stage.name) for stage in default_stages(UUID(int=0))}
TESTS: Final[Mapping[str, Callable[[str], bool]]] = {
    Target.EMAIL: is_email,
    Target.FIRST_NAME: _is_person,
    Target.LAST_NAME: _is_person,
    Target.FULL_NAME: _is_person,
    Target.COMPANY: _is_name,
    Target.JOB_TITLE: _is_job_title,
    Target.PHONE: is_phone,
    Target.WEBSITE: is_website,
    Target.COUNTRY: is_country,
    Target.SOURCE: _is_name,
    Target.OWNER: is_email,
    Target.STAGE: _is_usual_stage,
    Target.TAGS: _is_short_names,
    Target.LISTS: _is_short_names,
}
"""Tests of cells by target, for headers that may also mean something else. Any cell fits a target without one."""
PLAUSIBLE: Final[Mapping[str, Callable[[str], bool]]] = {
    **TESTS,
    Target.PHONE: _has_digit,
    Target.WEBSITE: _is_no_profile,
    Target.COUNTRY: _is_in_words,
}
"""Weaker tests of cells by target, for headers with a single meaning."""
BY_CONTENT: Final[Mapping[str, ByContent]] = {
    Target.EMAIL: ByContent(is_email, 0.6, 0.8, unnamed_only=False, plausible=_are_of_several_people),
    Target.COMPANY: ByContent(_is_company, 0.5, 0.75, unnamed_only=False, plausible=_may_name_companies),
    Target.PHONE: ByContent(_is_called_abroad, 0.8, 0.7, unnamed_only=False, plausible=_can_be_called),
    Target.WEBSITE: ByContent(_is_public_website, 0.8, 0.8, unnamed_only=True),
    Target.COUNTRY: ByContent(is_country, 0.9, 0.8, unnamed_only=True, plausible=_is_spelled_out),
}
"""Targets that are detected by cells alone."""
BY_CONTENT_WITH_COUNTRY: Final[Mapping[str, ByContent]] = {
    **BY_CONTENT,
    Target.PHONE: ByContent(_is_called, 0.8, 0.6, unnamed_only=False, plausible=_can_be_called),
}
"""Targets that are detected by cells alone if another column has the country: then national numbers are valid."""
