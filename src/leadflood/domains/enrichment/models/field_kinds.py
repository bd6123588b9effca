"""Kinds of fields: how a value is normalized, and when two values are the same."""

import re
from collections.abc import Callable, Collection
from functools import cache, partial
from typing import Final
from zoneinfo import available_timezones

from babel import Locale

from leadflood.domains.enrichment.models.fact_fields import FactType, FactValue, FieldKind, require_text
from leadflood.kernel.company_name import company_key
from leadflood.kernel.country_names import normalise_country
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.phone_number import normalise_phone
from leadflood.kernel.text import InvalidValue, clean_line, search_key
from leadflood.kernel.web_address import normalise_website

_MAX_LINE: Final = 300
_MAX_DESCRIPTION: Final = 2000
_MAX_INTEGER: Final = 2**53 - 1
_FIRST_YEAR, _LAST_YEAR = 578, 2200
"""From the founding of the oldest company, Kongo Gumi; the last one only excludes what is no year."""
_NO_LETTER_OR_DIGIT: Final = re.compile(r"[\W_]+")
_LANGUAGE: Final = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?")
_DOMAIN_LABEL: Final = re.compile(r"^www\.(?=.+\.)")


def text_key(value: FactValue) -> str:
    """Case, accents, punctuation and spacing do not matter."""
    text = str(value)
    return _NO_LETTER_OR_DIGIT.sub(" ", search_key(text)).strip() or text


def company_name_key(value: FactValue) -> str:
    """As `text_key`, without the legal form."""
    return company_key(str(value)) or text_key(value)


def _line(value: FactValue, *, most: int) -> str:
    return clean_line(require_text(value), max_length=most)


def _boolean(value: FactValue) -> bool:
    if not isinstance(value, bool):
        raise InvalidValue("Must be true or false.")
    return value


def _integer(value: FactValue, *, least: int, most: int) -> int:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(whole, bool) or not isinstance(whole, int) or not least <= whole <= most:
        raise InvalidValue(f"Must be a whole number from {least} to {most}.")
    return whole


def _url(value: FactValue) -> str:
    return normalise_website(require_text(value))


def _url_key(value: FactValue) -> str:
    """Scheme, `www.` and a slash at the end do not matter."""
    return str(value).partition("://")[2].removeprefix("www.").rstrip("/")


def _domain(value: FactValue) -> str:
    """A host without `www.`, in lower-case ASCII; of a URL, its host."""
    website = normalise_website(require_text(value))
    host = website.partition("://")[2].partition("/")[0].partition(":")[0].partition("?")[0]
    return _DOMAIN_LABEL.sub("", host)


def _email(value: FactValue) -> str:
    return str(parse_email(require_text(value)))


def _email_key(value: FactValue) -> str:
    return parse_email(str(value)).norm


def _phone(value: FactValue) -> str:
    return normalise_phone(require_text(value), None)


def _country(value: FactValue) -> str:
    return normalise_country(require_text(value))


def _language(value: FactValue) -> str:
    found = _LANGUAGE.fullmatch(require_text(value).strip())
    code = found[1].lower() if found else ""
    if code not in _languages():
        raise InvalidValue("Must be a language code, such as en.")
    return code


def _time_zone(value: FactValue) -> str:
    name = require_text(value)
    if name not in _time_zones():
        raise InvalidValue("Must be a time zone, such as Europe/Berlin.")
    return name


def _choice(value: FactValue, *, options: Collection[str]) -> str:
    text = require_text(value)
    if text not in options:
        raise InvalidValue(f"Must be one of: {', '.join(sorted(options))}.")
    return text


def _plain(value: FactValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _code(value: FactValue, *, pattern: re.Pattern[str], valid: Callable[[str], bool]) -> str:
    text = clean_line(require_text(value), max_length=_MAX_LINE)
    code = re.sub(r"[\s.-]", "", text).upper()
    if not pattern.fullmatch(code) or not valid(code):
        raise InvalidValue("This identifier isn't valid.")
    return code


def is_lei(code: str) -> bool:
    """Whether the check digits of an LEI are right (ISO 17442, ISO 7064 MOD 97-10)."""
    return int("".join(str(int(char, 36)) for char in code)) % 97 == 1


def has_luhn_digit(code: str) -> bool:
    """Whether the last digit is the check digit of the ones before it, by Luhn's algorithm (ISO/IEC 7812-1)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(code))]
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


@cache
def _languages() -> frozenset[str]:
    """Codes of ISO 639 with a name in CLDR."""
    return frozenset(Locale("en").languages)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def choice(*options: str) -> FieldKind:
    """One of some words."""
    return FieldKind(FactType.CHOICE, partial(_choice, options=frozenset(options)), _plain)


def code(pattern: str, valid: Callable[[str], bool] = bool) -> FieldKind:
    """An identifier, without spaces, dots and hyphens. Args: pattern: of its normalized form."""
    return FieldKind(FactType.TEXT, partial(_code, pattern=re.compile(pattern), valid=valid), _plain)


def integer(least: int = 0, most: int = _MAX_INTEGER) -> FieldKind:
    """A whole number."""
    return FieldKind(FactType.INTEGER, partial(_integer, least=least, most=most), _plain)


TEXT: Final = FieldKind(FactType.TEXT, partial(_line, most=_MAX_LINE), text_key)
DESCRIPTION: Final = FieldKind(FactType.TEXT, partial(_line, most=_MAX_DESCRIPTION), text_key)
COMPANY_NAME: Final = FieldKind(FactType.TEXT, partial(_line, most=_MAX_LINE), company_name_key)
BOOLEAN: Final = FieldKind(FactType.BOOLEAN, _boolean, _plain)
YEAR: Final = FieldKind(FactType.YEAR, partial(_integer, least=_FIRST_YEAR, most=_LAST_YEAR), _plain)
URL: Final = FieldKind(FactType.URL, _url, _url_key)
DOMAIN: Final = FieldKind(FactType.DOMAIN, _domain, _plain)
EMAIL: Final = FieldKind(FactType.EMAIL, _email, _email_key)
PHONE: Final = FieldKind(FactType.PHONE, _phone, _plain)
COUNTRY: Final = FieldKind(FactType.COUNTRY, _country, _plain)
LANGUAGE: Final = FieldKind(FactType.LANGUAGE, _language, _plain)
TIME_ZONE: Final = FieldKind(FactType.TEXT, _time_zone, _plain)
