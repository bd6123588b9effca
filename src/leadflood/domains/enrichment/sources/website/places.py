"""The country that a site is in, from several signs that each are weak alone."""

from collections.abc import Sequence
from typing import Final

import phonenumbers

from leadflood.domains.enrichment.sources.website.page import PageFact, PageField, WebPage
from leadflood.kernel.country_names import common_countries

_GENERIC_USE: Final = frozenset({
    "ai", "co", "io", "me", "tv", "cc", "ly", "fm", "to", "gg", "sh", "im", "is", "am", "vc", "ac", "la", "ag", "nu",
    "st", "so", "ws", "bz", "eu", "cx", "dj", "gl", "ht", "pw", "sc", "mn",
})  # fmt: skip
"""Country domains that are mostly used for something else than the country."""
_ONE_COUNTRY: Final = {
    "da": "DK",
    "sv": "SE",
    "nb": "NO",
    "nn": "NO",
    "fi": "FI",
    "pl": "PL",
    "cs": "CZ",
    "hu": "HU",
    "tr": "TR",
    "ja": "JP",
    "ko": "KR",
    "he": "IL",
    "th": "TH",
    "vi": "VN",
    "bg": "BG",
    "et": "EE",
    "lv": "LV",
    "lt": "LT",
    "is": "IS",
    "uk": "UA",
}
"""Languages that are mostly written in one country."""
_SPECIAL: Final = {"uk": "GB"}


def country_of_suffix(domain: str) -> str | None:
    """The country of a domain's top level, unless that is mostly used for something else."""
    last = domain.rpartition(".")[2].lower()
    code = _SPECIAL.get(last, last.upper())
    if last in _GENERIC_USE or len(last) != 2:  # noqa: PLR2004  ISO 3166 codes
        return None
    return code if common_countries().get(code.lower()) == code else None


def country_hint(page: WebPage, facts: Sequence[PageFact]) -> PageFact | None:
    """The likeliest country with its sign: a stated one, a VAT id, the domain, a region of the language, a phone."""
    stated = next((fact for fact in facts if fact.field is PageField.COUNTRY), None)
    if stated is not None:
        return stated
    vat_id = next((fact for fact in facts if fact.field is PageField.VAT_ID and fact.confidence >= 0.7), None)  # noqa: PLR2004
    if vat_id is not None and (code := _vat_country(str(vat_id.value))):
        return PageFact(PageField.COUNTRY, code, 0.85, "vat_country", vat_id.quote)
    if code := country_of_suffix(page.domain):
        return PageFact(PageField.COUNTRY, code, 0.7, "domain_suffix", page.domain)
    if called := _phone_country(page):
        return PageFact(PageField.COUNTRY, called[0], 0.6, "phone_code", called[1])
    return _of_language(page, facts)


def _vat_country(number: str) -> str | None:
    prefix = {"EL": "GR", "XI": "GB", "CH": "CH"}.get(number[:2], number[:2])
    return prefix if common_countries().get(prefix.lower()) == prefix else None


def _phone_country(page: WebPage) -> tuple[str, str] | None:
    """The country of the calling code that all `tel:` links share."""
    found: dict[str, str] = {}
    for target, _ in page.links:
        if not target.lower().startswith("tel:+"):
            continue
        try:
            number = phonenumbers.parse(target[4:], None)
        except phonenumbers.NumberParseException:
            continue
        region = phonenumbers.region_code_for_number(number)
        if region and region != "001":
            found.setdefault(region, target)
    return next(iter(found.items())) if len(found) == 1 else None


def _of_language(page: WebPage, facts: Sequence[PageFact]) -> PageFact | None:
    locale = page.first("og:locale")
    root = page.tree.css_first("html")
    written = [(root.attributes.get("lang") or "") if root else "", locale[0] if locale else ""]
    for text in written:
        region = text.replace("_", "-").rpartition("-")[2].upper() if text.replace("_", "-").count("-") else ""
        if len(region) == 2 and region != "US" and common_countries().get(region.lower()) == region:  # noqa: PLR2004
            return PageFact(PageField.COUNTRY, region, 0.5, "language_region", text)
    language = next((fact for fact in facts if fact.field is PageField.LANGUAGE), None)
    if language is not None and (code := _ONE_COUNTRY.get(str(language.value))):
        return PageFact(PageField.COUNTRY, code, 0.45, "language", language.quote)
    return None
