"""Time zones of countries, regions and phone numbers."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import phonenumbers

from leadflood.kernel.text import search_key

_MAIN: Final = {
    "AR": "America/Argentina/Buenos_Aires", "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid", "GL": "America/Nuuk",
    "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PS": "Asia/Hebron", "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv", "UZ": "Asia/Tashkent", "VN": "Asia/Ho_Chi_Minh", "KZ": "Asia/Almaty",
}  # fmt: skip
"""Zones in which nearly everyone of a country with several lives."""
_REGIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "US": {
        "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
        "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
        "America/Denver": "CO MT NM UT WY ID",
        "America/Phoenix": "AZ",
        "America/Los_Angeles": "CA NV OR WA",
        "America/Anchorage": "AK",
        "Pacific/Honolulu": "HI",
    },
    "CA": {
        "America/Toronto": "ON QC",
        "America/Halifax": "NS NB PE",
        "America/St_Johns": "NL",
        "America/Winnipeg": "MB",
        "America/Regina": "SK",
        "America/Edmonton": "AB NT",
        "America/Vancouver": "BC",
        "America/Whitehorse": "YT",
    },
    "AU": {
        "Australia/Sydney": "NSW ACT",
        "Australia/Melbourne": "VIC",
        "Australia/Brisbane": "QLD",
        "Australia/Adelaide": "SA",
        "Australia/Perth": "WA",
        "Australia/Hobart": "TAS",
        "Australia/Darwin": "NT",
    },
}
"""Zones of states and provinces; of those with several, that of most people."""


def time_zone_of_place(country: str, region: str | None = None) -> str | None:
    """The time zone (IANA) of a country, or of a state of it; None where the country has several.

    Args:
        country: ISO 3166-1 alpha-2.
        region: the code of a state or province, for the United States, Canada and Australia.
    """
    if region and (zone := _zones_by_region().get((country, search_key(region).upper()))):
        return zone
    return _MAIN.get(country) or _only_zones().get(country)


def time_zone_of_phone(number: str) -> str | None:
    """The time zone of a number in E.164, by its area code; None where it has several, or none is known."""
    from phonenumbers import timezone  # noqa: PLC0415  2 MB of area codes, which few processes need

    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.number_type(parsed) in _MOBILE and parsed.country_code == 1:
        return None  # a mobile number of North America stays with people who move
    zones: tuple[str, ...] = timezone.time_zones_for_number(parsed)
    region = phonenumbers.region_code_for_number(parsed)
    if len(zones) == 1 and zones[0] != "Etc/Unknown":
        return zones[0]
    return time_zone_of_place(region) if region and region != "001" else None


_MOBILE: Final = (phonenumbers.PhoneNumberType.MOBILE,)


@cache
def _zones_by_region() -> Mapping[tuple[str, str], str]:
    return {
        (country, code): zone
        for country, zones in _REGIONS.items()
        for zone, codes in zones.items()
        for code in codes.split()
    }


@cache
def _only_zones() -> Mapping[str, str]:
    """The zones of countries that have one, from the time zone database."""
    zones: dict[str, list[str]] = {}
    for line in files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            zones.setdefault(country, []).append(zone)
    return {country: found[0] for country, found in zones.items() if len(found) == 1}
