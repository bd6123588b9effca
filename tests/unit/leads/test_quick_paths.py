"""Most values are plain, and are told quickly; the quick answer is the one that the full rules give.

A blank around a value, or a character that nobody sees, takes it past the quick path and changes nothing else.
"""

from collections.abc import Callable
from typing import TypeVar

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st

from leadflood.kernel.email_address import parse_email
from leadflood.kernel.phone_number import normalise_phone
from leadflood.kernel.text import InvalidValue, clean_block, clean_line, search_key
from leadflood.kernel.web_address import normalise_website
from tests.support.search_text import search_text

T = TypeVar("T")

LABEL = st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)
TOP = st.sampled_from(["com", "test", "local", "arpa", "onion", "xn--p1ai", "invalid", "localhost", "c", "co", "x1"])
DOMAIN = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABEL, min_size=1, max_size=5), TOP)
LOCAL = st.from_regex(r"[A-Za-z0-9._+'-]{1,66}", fullmatch=True)
EMAIL = st.builds(lambda local, domain: f"{local}@{domain}", LOCAL, DOMAIN)
PATH = st.from_regex(r"(/[A-Za-z0-9._~%-]{0,8}){0,4}", fullmatch=True)
SCHEME = st.sampled_from(["", "https://", "http://"])
WEBSITE = st.builds(lambda scheme, host, path: scheme + host + path, SCHEME, DOMAIN, PATH)
EXAMPLES = [
    phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    if (example := phonenumbers.example_number_for_type(region, kind))
]
PHONE = st.one_of(
    st.sampled_from(EXAMPLES),
    st.builds(
        lambda text, place, digits: text[:place] + digits + text[place:],
        st.sampled_from(EXAMPLES),
        st.integers(2, 12),
        st.from_regex("[0-9 ]{1,2}", fullmatch=True),
    ),
    st.from_regex(r"\+[0-9]{1,4} ?[0-9]{4,12}", fullmatch=True),
)
LINE = st.text(st.characters(max_codepoint=0x250), max_size=12)


def outcome(call: Callable[[str], T], text: str) -> T | str:
    try:
        return call(text)
    except InvalidValue as refusal:
        return refusal.code


@settings(max_examples=200)
@given(EMAIL)
def test_a_plain_address_is_read_as_by_the_full_rules(text: str) -> None:
    assert outcome(parse_email, text) == outcome(parse_email, f" {text}")


@settings(max_examples=200)
@given(WEBSITE)
def test_a_plain_website_is_stored_as_by_the_full_rules(text: str) -> None:
    assert outcome(normalise_website, text) == outcome(normalise_website, f" {text}")


@settings(max_examples=400)
@given(PHONE, st.sampled_from([None, "GB", "US", "IT"]))
def test_a_plain_number_is_read_as_by_the_full_rules(text: str, country: str | None) -> None:
    def read(each: str) -> str:
        return normalise_phone(each, country)

    assert outcome(read, text) == outcome(read, f"{text}\u200b")


@settings(max_examples=200)
@given(LINE)
def test_plain_text_is_cleaned_as_by_the_full_rules(text: str) -> None:
    for clean in (lambda each: clean_line(each, max_length=10), lambda each: clean_block(each, max_length=10)):
        assert outcome(clean, text) == outcome(clean, f"\u200b{text}")


@settings(max_examples=200)
@given(LINE)
def test_plain_text_has_the_search_key_of_the_full_rules(text: str) -> None:
    assert search_key(text) == search_key(f"{text}\u200b")
    assert search_text(text, None, "a@b.co", None) == search_text(f"{text}\u200b", None, "a@b.co", None)
