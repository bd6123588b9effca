"""Numbers, dates, times, places and phone numbers as people read them.

Words are American English. How numbers, dates and times are written follows the reader's region, by CLDR: Germany
writes 2.273 and 29 Nov 2026, 17:04. `use` sets the region for the request that is handled.
"""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Final

import iso3166
import phonenumbers
from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_time
from babel.languages import get_official_languages
from babel.localedata import exists
from babel.numbers import format_currency, format_decimal, format_percent
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from leadflood.domains.spending.models import MICROS
from leadflood.kernel.locales import canonical_locale
from leadflood.kernel.schema import Count
from leadflood.kernel.text import InvalidValue, search_key


@dataclass(frozen=True, slots=True)
class Region:
    """Number and date formats of a region. `tag`: its BCP 47 tag. Dates contain words and use an English locale."""

    tag: str
    numbers: Locale
    dates: Locale
    times: Locale


_US: Final = Locale("en", "US")
DEFAULT: Final = Region("en-US", _US, _US, _US)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WEEK = 7 * _DAY
_UNITS: Final = ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"))
_SIZES: Final = ("bytes", "KB", "MB", "GB", "TB")
_THOUSAND: Final = 1000
_TEN: Final = 10
_MAX_HEADER: Final = 200
_COMMON_NAMES: Final = {
    "CD": "DR Congo",
    "CG": "Congo",
    "HK": "Hong Kong",
    "MM": "Myanmar",
    "MO": "Macao",
    "PS": "Palestine",
}
"""Common country names where CLDR has longer ones."""

_URL: Final = re.compile(r"https?://[^\s<>\"'`\u200b-\u200f\u202a-\u202e\u2066-\u2069]{1,2000}", re.IGNORECASE)
_LETTERS_BESIDE_DIGITS: Final = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
"""Place of the space between a currency of letters and the number, which CLDR asks for and Babel leaves out."""
_AFTER_URL: Final = ".,;:!?)]}…"
_LINK: Final = Markup('<a href="{}" rel="nofollow noreferrer noopener" target="_blank">{}</a>')
_region: ContextVar[Region] = ContextVar("region", default=DEFAULT)


def use(region: Region) -> None:
    """Format numbers, dates and times for this region from now on, in this context."""
    _region.set(region)


def region_of(stored: str | None, accept_language: str) -> Region:
    """The region of a reader: from the profile, or else the browser, or else the United States."""
    tags = [stored] if stored else _accepted(accept_language)
    return next((found for tag in tags if (found := _region_of(tag))), DEFAULT)


@cache
def regions() -> dict[str, str]:
    """The available regions: names by the tag of the region's main language, such as `de-DE`.

    An official language or English stands in for one whose formats are not known there. Regions without any are left
    out.
    """
    likely = get_global("likely_subtags")
    tags = {}
    for code, name in countries().items():
        language, *_ = str(likely.get(f"und_{code}", "en")).split("_")
        languages = (language, *get_official_languages(code), "en")
        tag = next((tag for tag in (f"{each}-{code}" for each in languages) if _is_known(tag)), None)
        if tag is not None:
            tags[tag] = name
    return tags


def _is_known(tag: str) -> bool:
    try:
        return canonical_locale(tag).endswith(tag[-3:])
    except InvalidValue:
        return False


def region_name(tag: str) -> str:
    """The name of a region: `de-DE` is Germany."""
    return country(tag.rpartition("-")[2]) or tag


@pass_context
def ago(context: Context, moment: datetime | None) -> str:
    """Relative time: `3 minutes ago`, `in 2 days`; a date from a week on."""
    if moment is None:
        return "Never"
    seconds = (context["ctx"].now - moment).total_seconds()
    if abs(seconds) < _MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    if abs(seconds) >= _WEEK:
        return clock(context, moment, "date")
    size, unit = next((size, unit) for size, unit in _UNITS if abs(seconds) >= size)
    amount = plural(int(abs(seconds) // size), unit)
    return f"{amount} ago" if seconds > 0 else f"in {amount}"


@pass_context
def clock(context: Context, moment: datetime | None, form: str = "full") -> str:
    """A time in the reader's time zone: `date`, `time`, or `full` with the zone."""
    return "" if moment is None else local_time(moment.astimezone(context["ctx"].time_zone), form)


def local_time(local: datetime, form: str = "full") -> str:
    """Like `clock`, for a time that is already in the reader's zone."""
    region = _region.get()
    written = format_date(local, "medium", locale=region.dates)
    if form == "date":
        return written
    time = format_time(local, "short" if form == "time" else "medium", locale=region.times)
    return time if form == "time" else f"{written}, {time} {local.tzname()}"


def day(value: date) -> str:
    """A date."""
    return format_date(value, "medium", locale=_region.get().dates)


def linked(text: str) -> Markup:
    """Plain text of people, escaped, with its web addresses as links that tell their targets nothing of us."""
    parts: list[Markup] = []
    end = 0
    for found in _URL.finditer(text):
        address = found.group().rstrip(_AFTER_URL)
        parts += [escape(text[end : found.start()]), _LINK.format(address, address)]
        end = found.start() + len(address)
    return Markup("").join([*parts, escape(text[end:])])


def iso(moment: datetime) -> str:
    """A time as RFC 3339, for `datetime` attributes."""
    return moment.isoformat()


def number(value: float) -> str:
    """A number with the region's separators: `2,273`."""
    return format_decimal(value, locale=_region.get().numbers)


def percent(share: float) -> str:
    """A fraction of 1 in percent: `50%`."""
    return format_percent(share, locale=_region.get().numbers)


def money(micros: int, currency: str) -> str:
    """Millionths of a currency, with as many decimals as they need: `€2.50`, `€0.025`, in Germany `0,025 €`."""
    amount = Decimal(micros) / MICROS
    text = format_currency(amount, currency, locale=_region.get().numbers, decimal_quantization=False)
    return _LETTERS_BESIDE_DIGITS.sub("\N{NO-BREAK SPACE}", text)


def counted(count: Count) -> str:
    """A count, with a plus if there are more than were counted."""
    return number(count.value) + ("" if count.exact else "+")


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 lead`, `2 leads`."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def duration(seconds: float | None) -> str:
    """A duration in a suitable unit: `8 ms`, `1.4 s`, `3 min`, `2 h`."""
    if seconds is None:
        return "—"
    if seconds < 1:
        return f"{number(round(seconds * 1000))} ms"
    if seconds < 2 * _MINUTE:
        return f"{number(float(f'{seconds:.3g}'))} s"
    return f"{number(round(seconds / _MINUTE))} min" if seconds < 2 * _HOUR else f"{number(round(seconds / _HOUR))} h"


def size(count: int) -> str:
    """A size in a suitable unit: `1.2 MB`."""
    value, unit = float(count), 0
    while value >= _THOUSAND and unit < len(_SIZES) - 1:
        value, unit = value / _THOUSAND, unit + 1
    return f"{number(round(value, 1 if unit and value < _TEN else 0))} {_SIZES[unit]}"


@cache
def countries() -> dict[str, str]:
    """All countries by code, sorted by their common names: Bolivia, Germany."""
    names = {**DEFAULT.dates.territories, **_COMMON_NAMES}
    listed = {item.alpha2: names.get(item.alpha2, item.apolitical_name) for item in iso3166.countries}
    return dict(sorted(listed.items(), key=lambda item: search_key(item[1])))


def country(code: str | None) -> str | None:
    """The common name of a country."""
    return countries().get(code or "")


def language(code: str) -> str:
    """The name of a language: `de` is German."""
    return str(DEFAULT.dates.languages.get(code, code))


@lru_cache(maxsize=1024)
def phone(stored: str | None) -> str | None:
    """A stored number in international form: `+1 201-555-6773 ext. 312`."""
    if stored is None:
        return None
    try:
        parsed = phonenumbers.parse(stored)
    except phonenumbers.NumberParseException:
        return stored
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _accepted(header: str) -> list[str]:
    """The tags of `Accept-Language`, the preferred first."""
    weighted = []
    for index, part in enumerate(header[:_MAX_HEADER].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((-float(weight or 1), index, tag))
        except ValueError:
            continue
    return [tag for _, _, tag in sorted(weighted)]


@lru_cache(maxsize=1024)
def _region_of(tag: str) -> Region | None:
    try:
        own = Locale.parse(canonical_locale(tag), sep="-")
    except InvalidValue:
        return None
    name = f"en_{own.territory}"
    dates = Locale.parse(name if exists(name) else "en_001")
    says_noon = any(letter in own.time_formats["short"].pattern for letter in "abB")
    return Region(str(own).replace("_", "-"), own, dates, dates if says_noon else own)
