"""Phone numbers as they are stored: in E.164, and only those that exist in their country's numbering plan.

Most numbers are written with their country code and are those of people. One pattern recognizes each, without
parsing and without asking for every kind of number: the check of an imported row takes 14.7 µs, and 28.8 µs without
that (20,000 rows of `tests.bench.generate`, decision 27).
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

import phonenumbers

from leadflood.kernel.text import InvalidValue, clean_line

MAX_PHONE_LENGTH: Final = 100
_PLAIN_PHONE: Final = re.compile(r"\+[1-9][0-9]*(?: [0-9]+)*")
_MOBILE: Final = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
_DIGITS: Final = re.compile(r"[^0-9+]*([1-9][^+]{7,})")
"""Digits in any punctuation that begin neither with a plus nor with a zero, perhaps behind a label."""
_PLUS_SIGNS: Final = "\u207a\ufb29\ufe62\uff0b"
"""Signs that Unicode folds to a plus: superscript, Hebrew, small and fullwidth."""
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_SHORTENED: Final = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}")
"""Scientific notation, which spreadsheet programs use for long numbers."""
_SEVERAL: Final = re.compile(
    r"(?:[0-9][ ()./-]*){6}(?:[;,|\n]|/|\b(?:or|oder|ou|und|and)\b)\s*(?:[+0(]|(?:[0-9][ -]*){7})"
)
_FRACTION: Final = re.compile(r"(?<=[0-9]{7})[.,]0$")
"""Decimal zero that programs add to digits: 491701234567.0."""


def normalise_phone(text: str, country: str | None) -> str:
    """A number that exists in its country's numbering plan, in E.164 (`+442079460958`).

    An extension is kept in the form of RFC 3966: `+442079460958;ext=12`. A number in national form needs `country`
    (ISO 3166-1 alpha-2); without one, a leading `00` counts as `+`. What could be several numbers, or has lost digits,
    is refused: no number is better than that of someone else.
    """
    if plain := _plain_phone(text):
        return plain
    line = _one_number(ascii_number(clean_line(text, max_length=MAX_PHONE_LENGTH)))
    number = (_without_plus(line, country) if country else None) or _parse_phone(line, country)
    if not _plainly_valid(number) and not phonenumbers.is_valid_number(number):
        message = "This number isn't valid for its country."
        raise InvalidValue(message)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{e164};ext={number.extension}" if number.extension else e164


def ascii_number(text: str) -> str:
    """Text with the digits of all scripts, plus signs, dashes and fullwidth punctuation in ASCII; letters stay.

    "\uff0b\uff14\uff19" and "+\u0664\u0669" are "+49".
    """
    return text if text.isascii() else _DASHES.sub("-", "".join(map(_ascii_char, text)))


def _ascii_char(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) == "Cf":
        return ""
    if (digit := unicodedata.decimal(char, None)) is not None:
        return str(digit)
    if char in _PLUS_SIGNS:
        return "+"
    is_sign = unicodedata.category(char)[0] in "PZ"
    folded = unicodedata.normalize("NFKC", char) if is_sign else char
    return folded if folded.isascii() else char


def phone_needs_country(text: str) -> bool:
    """Whether `text` looks like a phone number in national form, which means nothing without a country."""
    written = ascii_number(text)
    try:
        phonenumbers.parse(_international(written), None)
    except phonenumbers.NumberParseException as exc:
        return exc.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and "+" not in written
    return False


def _one_number(text: str) -> str:
    """A single number with all its digits. Raises: InvalidValue."""
    if _SHORTENED.fullmatch(text):
        message = "A spreadsheet shortened this number, and its digits were lost. Enter it again."
        raise InvalidValue(message, "digits_lost")
    if _SEVERAL.search(text):
        message = "Enter a single phone number."
        raise InvalidValue(message, "several_values")
    return _FRACTION.sub("", text)


def _without_plus(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    """A number that begins with the calling code of its country, but without a plus, as in 491701234567.

    In countries where a number at home begins with a trunk prefix, such as 0, one without it is first read as
    international. A number that is a mobile one of another country, and none here, is refused as ambiguous.
    """
    digits = _DIGITS.fullmatch(text)
    if not digits:
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    if metadata is None or metadata.national_prefix != "0":
        return None
    try:
        international = phonenumbers.parse(f"+{digits[1]}", None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(international):
        return None
    if international.country_code == metadata.country_code:
        return international
    at_home = phonenumbers.parse(digits[1], country)
    if phonenumbers.number_type(international) in _MOBILE and phonenumbers.number_type(at_home) not in _MOBILE:
        message = "This could be a number of another country. Start it with + and the country code."
        raise InvalidValue(message)
    return None


def _international(text: str) -> str:
    return "+" + text[2:] if text.startswith("00") else text


def _parse_phone(text: str, country: str | None) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text if country else _international(text), country)
    except phonenumbers.NumberParseException as exc:
        if exc.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            message = "Include the country code, e.g. +44 20 7946 0958."
        else:
            message = "Enter a phone number with its country code, e.g. +44 20 7946 0958."
        raise InvalidValue(message) from exc


def _plain_phone(text: str) -> str | None:
    """A personal number written with its country code and in digits: recognized without parsing.

    None where it is none, and where parsing could take digits away.
    """
    if len(text) > MAX_PHONE_LENGTH or not _PLAIN_PHONE.fullmatch(text):
        return None
    digits = text[1:].replace(" ", "")
    for length in (1, 2, 3):
        code = int(digits[:length])
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            national = digits[length:]
            prefix = _national_prefix(code)
            parsed_as_it_is = not national.startswith("0") and not (prefix and prefix(national))
            sound = parsed_as_it_is and any(pattern(national) for pattern in _people_patterns(code))
            return f"+{digits}" if sound else None
    return None


@cache
def _national_prefix(country_code: int) -> Callable[[str], object] | None:
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    found = metadata and metadata.national_prefix_for_parsing
    return re.compile(found).match if found else None


def _plainly_valid(number: phonenumbers.PhoneNumber) -> bool:
    """Whether it is a mobile or fixed-line number of its calling code's main country, by pattern alone.

    `is_valid_number` tries all kinds of numbers, one pattern after the other; those of people are nearly all of these.
    """
    digits = phonenumbers.national_significant_number(number)
    return any(pattern(digits) for pattern in _people_patterns(number.country_code))


@cache
def _people_patterns(country_code: int) -> list[Callable[[str], object]]:
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    if metadata is None or metadata.leading_digits or metadata.general_desc is None:
        return []
    general = metadata.general_desc.national_number_pattern
    patterns: list[Callable[[str], object]] = []
    for kind in (metadata.mobile, metadata.fixed_line):
        if kind is not None and kind.national_number_pattern:
            lengths = kind.possible_length or metadata.general_desc.possible_length
            length = "|".join(f".{{{item}}}" for item in lengths)
            whole = f"(?=(?:{general})\\Z)(?=(?:{length})\\Z)(?:{kind.national_number_pattern})"
            patterns.append(re.compile(whole).fullmatch)
    return patterns
