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
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit
from uuid import UUID

import idna
import iso3166

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
tells; leaving `failed` and `enriched` is a retry and a fresh enrichment.
Two jobs of one lead may overlap: the one that completes last makes it `enriched`, whatever the other came to.
"""


@dataclass(frozen=True, slots=True)
class DirectTransition:
    """A lead that is enriched at once: since when, and what the entries of beginning and end say."""

    lead_id: UUID
    begun_at: datetime | None
    begun: Mapping[str, Any]
    ended: Mapping[str, Any]


class ChangesetKind(StrEnum):
    """Origin of a changeset."""

    BULK = "bulk"
    IMPORT = "import"
    MERGE = "merge"


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


MAX_URL_LENGTH: Final = 2048
MAX_CUSTOM_STRING: Final = 2000
MAX_SAFE_INTEGER: Final = 2**53 - 1

CustomValue = str | int | float | bool


def normalise_country(text: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country given by alpha-2, alpha-3 or numeric code, or by an English name.

    Kosovo is `XK`, the user-assigned code in common use.
    """
    code = _country(clean_line(text, max_length=100))
    if code is None:
        message = 'Unknown country. Give a two-letter ISO 3166-1 code such as "DE", or the English name.'
        raise InvalidValue(message)
    return code


def normalise_website(text: str) -> str:
    """An http or https URL, or a bare domain (which becomes https), as RFC 3986 writes it.

    The host is lower-case and in IDNA A-labels, a default port, an empty path and the fragment are left out, other
    characters than ASCII are percent-encoded. Credentials and IP addresses are refused. At most 2,048 characters.
    """
    plain = _PLAIN_WEBSITE.fullmatch(text)
    if plain and len(text) <= MAX_URL_LENGTH - len("https://") and len(plain[2]) <= _MAX_HOST:
        return f"{plain[1] or 'https://'}{plain[2]}{'' if plain[3] == '/' else plain[3]}"
    url = clean_line(text, max_length=MAX_URL_LENGTH)
    if " " in url or "\\" in url:
        message = "Remove the spaces and backslashes from the address."
        raise InvalidValue(message)
    parts, port = _split_url(url if _SCHEME.match(url) else f"https://{url}")
    if parts.scheme not in _DEFAULT_PORTS:
        message = "Use an address that starts with https:// or http://, or a bare domain such as acme.com."
        raise InvalidValue(message)
    if "@" in parts.netloc:
        message = "Give a web address such as acme.com, without user name or password."
        raise InvalidValue(message)
    authority = _web_host(parts.hostname or "")
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        authority += f":{port}"
    path = quote(parts.path, safe=_PATH_SAFE)
    query = f"?{quote(parts.query, safe=_PATH_SAFE + '?')}" if parts.query else ""
    website = f"{parts.scheme}://{authority}{'' if path == '/' and not query else path}{query}"
    if len(website) > MAX_URL_LENGTH:
        message = f"Use at most {MAX_URL_LENGTH} characters."
        raise InvalidValue(message, "too_long")
    return website


def normalise_source(text: str) -> str:
    """The channel a lead came by: a lower-case token such as `api`, `web-form` or `import:2026-03`."""
    token = text.strip().lower()
    if not _SOURCE.fullmatch(token):
        message = "Use 1 to 64 letters a to z, digits and . _ : -, starting with a letter or digit."
        raise InvalidValue(message)
    return token


def check_custom_key(text: str) -> str:
    """The name of a custom field, which is used as it is."""
    if not _CUSTOM_KEY.fullmatch(text):
        message = "Name the field with 1 to 64 letters A to Z, digits and underscores, starting with a letter."
        raise InvalidValue(message)
    return text


def clean_custom_value(value: object) -> CustomValue | None:
    """A custom field's value: text of several lines, a finite number (integers within ±(2^53 - 1)), a boolean or null.

    JSON readers agree on integers only up to that size (RFC 8259, 6).
    """
    if isinstance(value, str):
        return clean_block(value, max_length=MAX_CUSTOM_STRING)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_SAFE_INTEGER:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, int | float):
        message = f"Give a finite number, integers between -{MAX_SAFE_INTEGER} and {MAX_SAFE_INTEGER}, or a string."
        raise InvalidValue(message, "out_of_range")
    message = "Give a string, a number, true, false or null; objects and lists are not stored."
    raise InvalidValue(message, "wrong_type")


def search_text(first_name: str | None, last_name: str | None, email: str, company: str | None) -> str:
    r"""The stored search column: the search keys of name, email and company, one a line.

    First and last name share a line, so that "ada lovelace" finds a lead as a phrase. A key never contains `\n`, so no
    query can match from the end of one line into the next.
    """
    name = " ".join(part for part in (first_name, last_name) if part)
    return "\n".join(key for key in map(search_key, (name, email, company or "")) if key)


_PLAIN_WEBSITE: Final = re.compile(
    r"(https?://)?((?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})((?:/[A-Za-z0-9._~-]*)*)"
)
"""Addresses that are written as they are stored, which most are."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_PATH_SAFE: Final = "/%:@!$&'()*+,;=-._~"
_LABEL: Final = re.compile(r"(?!.{2}(?<!xn)--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_TOP_LEVEL: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]+")
_MAX_HOST: Final = 253
_SOURCE: Final = re.compile(r"[a-z0-9][a-z0-9._:-]{0,63}")
_INSIDE_WORD: Final = re.compile("['.\u2019]")
_NO_WORD: Final = re.compile("[^a-z0-9]+")
_CUSTOM_KEY: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def _split_url(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        message = "Not a web address. Give one such as https://acme.com or acme.com."
        raise InvalidValue(message) from exc
    return parts, port


def _web_host(host: str) -> str:
    try:
        ascii_host = idna.encode(host.removesuffix("."), uts46=True).decode().lower() if host else ""
    except UnicodeError as exc:  # idna.IDNAError is one
        message = "The host is not a valid domain name. Give one such as acme.com."
        raise InvalidValue(message) from exc
    labels = ascii_host.split(".")
    valid = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and _TOP_LEVEL.fullmatch(labels[-1])
    if not valid or len(ascii_host) > _MAX_HOST:
        message = (
            "Give a full domain name such as acme.com; IP addresses and bare host names are not websites of a lead."
        )
        raise InvalidValue(message)
    return ascii_host


def _country_key(name: str) -> str:
    words = _NO_WORD.sub(" ", _INSIDE_WORD.sub("", search_key(name)).replace("&", " and ")).split()
    return " ".join("saint" if word == "st" else word for word in words if word != "the")


@lru_cache(maxsize=1024)
def _country(name: str) -> str | None:
    return _countries().get(_country_key(name))


@cache
def _countries() -> dict[str, str]:
    """Every accepted spelling, by `_country_key`. A bare "Korea" is nobody's: two countries share it."""
    index: dict[str, str] = {}
    for country in iso3166.countries:
        for spelling in (country.alpha2, country.alpha3, country.numeric, country.name, country.apolitical_name):
            index[_country_key(spelling)] = country.alpha2
    for spellings, alpha2 in _COUNTRY_VARIANTS:
        for spelling in spellings.split("|"):
            index[_country_key(spelling)] = alpha2
    return index


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
