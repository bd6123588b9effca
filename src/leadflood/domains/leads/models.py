"""A lead's states, and the one form in which each of its values is stored.

The functions are pure. They return the normalised value, and give it back unchanged when called on it again; what they
refuse, they refuse with `InvalidValue` (a ValueError) whose message names the remedy.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

import iso3166

from leadflood.kernel.field_types import MAX_OPTION, MAX_OPTIONS, MAX_SAFE_INTEGER, MAX_TEXT, FieldValue
from leadflood.kernel.text import InvalidValue, clean_block, clean_line, search_key


class LeadStatus(StrEnum):
    """Enrichment status of a lead."""

    NEW = "new"
    PROCESSING = "processing"
    ENRICHED = "enriched"
    FAILED = "failed"


TRANSITIONS: Final[dict[LeadStatus, frozenset[LeadStatus]]] = {
    LeadStatus.NEW: frozenset({LeadStatus.PROCESSING, LeadStatus.FAILED}),
    LeadStatus.PROCESSING: frozenset({LeadStatus.PROCESSING, LeadStatus.ENRICHED, LeadStatus.FAILED}),
    LeadStatus.ENRICHED: frozenset({LeadStatus.PROCESSING, LeadStatus.ENRICHED}),
    LeadStatus.FAILED: frozenset({LeadStatus.PROCESSING, LeadStatus.ENRICHED}),
}
"""From each status, the ones it may change to.

`new → failed` is a job cancelled before it ran; `processing → processing` is another attempt, which the timeline
shows; leaving `failed` and `enriched` is a retry and another enrichment.
Two jobs of one lead may overlap: the one that completes last makes it `enriched`, whatever the other came to.
"""


@dataclass(frozen=True, slots=True)
class DirectTransition:
    """A lead that is enriched in one step: its start time, and the data of both timeline entries."""

    lead_id: UUID
    begun_at: datetime | None
    begun: Mapping[str, Any]
    ended: Mapping[str, Any]


class ChangesetKind(StrEnum):
    """Origin of a changeset."""

    BULK = "bulk"
    IMPORT = "import"
    MERGE = "merge"


class FieldSource(StrEnum):
    """What gave a field of a lead another value. The values are stored."""

    EDIT = "edit"
    IMPORT = "import"
    BULK = "bulk"
    MERGE = "merge"
    UNDO = "undo"
    CONVERSION = "conversion"
    """A custom field got another type."""

    SYSTEM = "system"
    """Such as the end of an owner's account."""


class ChangesetStatus(StrEnum):
    """`open → applied → undoing → undone`; a cancelled undo returns to `applied` and can be resumed."""

    OPEN = "open"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"


class Change(StrEnum):
    """Change to a lead."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"


CustomValue = FieldValue


def normalise_country(text: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country given by a code, or by its name in English or a language of Europe.

    Kosovo is `XK`, the user-assigned code in common use.
    """
    line = clean_line(text, max_length=100)
    code = _country(line)
    if code is None:
        raise InvalidValue(f'"{line[:_SHOWN]}" isn\'t a recognized country.')
    return code


def normalise_source(text: str) -> str:
    """The channel a lead came by: a lower-case token such as `api`, `web-form` or `import:2026-03`."""
    token = text.strip().lower()
    if not _SOURCE.fullmatch(token):
        message = "Use letters, digits and . _ : - (maximum 64), e.g. web-form."
        raise InvalidValue(message)
    return token


def clean_custom_value(value: object) -> CustomValue | None:
    """A custom field's value: text of several lines, a finite number, a boolean, a list of texts, or null.

    Integers are within ±(2^53 - 1): JSON readers agree on integers only up to that size (RFC 8259, 6).
    """
    if isinstance(value, str):
        return clean_block(value, max_length=MAX_TEXT)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_SAFE_INTEGER:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, list) and 0 < len(value) <= MAX_OPTIONS and all(isinstance(item, str) for item in value):
        return [clean_line(item, max_length=MAX_OPTION) for item in value]
    if isinstance(value, int | float):
        message = f"Must be between -{MAX_SAFE_INTEGER} and {MAX_SAFE_INTEGER}."
        raise InvalidValue(message, "out_of_range")
    message = f"Must be a string, a number, true, false, null or a list of at most {MAX_OPTIONS} strings."
    raise InvalidValue(message, "wrong_type")


_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}")
_INSIDE_WORD: Final = re.compile("['.\u2019]")
_NO_WORD: Final = re.compile("[^a-z0-9]+")


def country_key(name: str) -> str:
    """What all spellings of a country's name have in common."""
    words = _NO_WORD.sub(" ", _INSIDE_WORD.sub("", search_key(name)).replace("&", " and ")).split()
    return " ".join("saint" if word == "st" else word for word in words if word != "the")


@lru_cache(maxsize=1024)
def _country(name: str) -> str | None:
    key = country_key(name)
    return english_countries().get(key) or _translated_countries().get(key)


@cache
def english_countries() -> dict[str, str]:
    """Codes and English names of countries, by `country_key`. A bare "Korea" is ambiguous: two countries share it."""
    index: dict[str, str] = {}
    for country in iso3166.countries:
        for spelling in (country.alpha2, country.alpha3, country.numeric, country.name, country.apolitical_name):
            index[country_key(spelling)] = country.alpha2
    for spellings, alpha2 in _COUNTRY_VARIANTS:
        for spelling in spellings.split("|"):
            index[country_key(spelling)] = alpha2
    return index


@cache
def _translated_countries() -> dict[str, str]:
    """Names of countries in languages of Europe, by `country_key`: `scripts/generate_country_names.py` writes them."""
    lines = files(__package__).joinpath("data/country_names.txt").read_text(encoding="utf-8").splitlines()
    return {name: line[:2] for line in lines for name in line[3:].split("|")}


_SHOWN: Final = 40
_COUNTRY_VARIANTS: Final = (
    ("Aland", "AX"),
    ("Bolivia", "BO"),
    ("Bonaire|Caribbean Netherlands", "BQ"),
    ("Bosnia|Bosnia Herzegovina", "BA"),
    ("Brunei", "BN"),
    ("Burma", "MM"),
    ("Cape Verde", "CV"),
    ("Cocos Islands|Keeling Islands", "CC"),
    ("Congo Brazzaville|Republic of the Congo|Congo Republic", "CG"),
    ("Congo Kinshasa|Democratic Republic of the Congo|DR Congo|DRC", "CD"),
    ("Ivory Coast", "CI"),
    ("Czech Republic", "CZ"),
    ("East Timor", "TL"),
    ("EL|Hellas", "GR"),
    ("Falkland Islands", "FK"),
    ("Holland", "NL"),
    ("Hong Kong SAR|Hong Kong SAR China", "HK"),
    ("Iran", "IR"),
    ("Laos", "LA"),
    ("Macau|Macau SAR|Macao SAR", "MO"),
    ("Macedonia", "MK"),
    ("Micronesia", "FM"),
    ("Moldova", "MD"),
    ("Nauru", "NR"),
    ("North Korea|DPRK", "KP"),
    ("Palestine|Palestinian Territory|Palestinian Territories", "PS"),
    ("People's Republic of China|PR China|PRC|Mainland China", "CN"),
    ("Pitcairn Islands", "PN"),
    ("Republic of Ireland|Eire", "IE"),
    ("Russia", "RU"),
    ("Saint Helena", "SH"),
    ("Saint Martin", "MF"),
    ("Saint Vincent", "VC"),
    ("Sint Maarten", "SX"),
    ("South Korea|Republic of Korea", "KR"),
    ("Swaziland", "SZ"),
    ("Syria", "SY"),
    ("Sao Tome", "ST"),
    ("Taiwan ROC", "TW"),
    ("Tanzania", "TZ"),
    ("Turkey", "TR"),
    ("UK|United Kingdom|Great Britain|Britain|England|Scotland|Wales|Northern Ireland", "GB"),
    ("United States|U.S.|U.S.A.|America", "US"),
    ("UAE|Emirates", "AE"),
    ("Vatican|Vatican City|Vatican City State", "VA"),
    ("Venezuela", "VE"),
    ("Vietnam", "VN"),
    ("British Virgin Islands|BVI", "VG"),
    ("US Virgin Islands|United States Virgin Islands|USVI", "VI"),
)
"""Common English names that ISO 3166-1 writes otherwise, and codes in use beside it (`UK`, `EL`)."""
