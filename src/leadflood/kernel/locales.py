"""Locales: BCP 47 tags that CLDR knows."""

import re
from typing import Final

from leadflood.kernel.text import InvalidValue

MAX_LOCALE: Final = 35
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?")


def canonical_locale(text: str) -> str:
    """A language and its region, such as `de-DE` for `de`, `de-de` and `de-Latn-DE`. Raises: InvalidValue."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415  takes time to load, and few processes need it
    from babel.core import get_global  # noqa: PLC0415

    try:
        found = Locale.parse(text if len(text) <= MAX_LOCALE and _TAG.fullmatch(text) else "", sep="-")
    except (ValueError, UnknownLocaleError) as error:
        message = 'Unknown locale. Use a BCP 47 tag such as "en-US" or "de-DE".'
        raise InvalidValue(message, "unknown_locale") from error
    likely = str(get_global("likely_subtags").get(found.language, "en_Latn_US")).split("_")
    return f"{found.language}-{found.territory or likely[-1]}"
