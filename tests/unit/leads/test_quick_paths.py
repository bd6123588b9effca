"""Most values are plain, and are told quickly; the quick answer is the one that the full rules give.

A blank around a value, or a character that nobody sees, takes it past the quick path and changes nothing else.
"""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from leadflood.domains.leads.models import normalise_website, search_text
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.text import InvalidValue, clean_block, clean_line, search_key

T = TypeVar("T")

LABEL = st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)
TOP = st.sampled_from(["com", "test", "local", "arpa", "onion", "xn--p1ai", "invalid", "localhost", "c", "co", "x1"])
DOMAIN = st.builds(lambda labels, top: ".".join([*labels, top]), st.lists(LABEL, min_size=1, max_size=5), TOP)
LOCAL = st.from_regex(r"[A-Za-z0-9._+'-]{1,66}", fullmatch=True)
EMAIL = st.builds(lambda local, domain: f"{local}@{domain}", LOCAL, DOMAIN)
PATH = st.from_regex(r"(/[A-Za-z0-9._~%-]{0,8}){0,4}", fullmatch=True)
SCHEME = st.sampled_from(["", "https://", "http://"])
WEBSITE = st.builds(lambda scheme, host, path: scheme + host + path, SCHEME, DOMAIN, PATH)
LINE = st.text(st.characters(max_codepoint=0x250), max_size=12)


def outcome(call: Callable[[str], T], text: str) -> T | str:
    try:
        return call(text)
    except InvalidValue as refusal:
        return refusal.code


@settings(max_examples=500)
@given(EMAIL)
def test_a_plain_address_is_read_as_by_the_full_rules(text: str) -> None:
    assert outcome(parse_email, text) == outcome(parse_email, f" {text}")


@settings(max_examples=500)
@given(WEBSITE)
def test_a_plain_website_is_stored_as_by_the_full_rules(text: str) -> None:
    assert outcome(normalise_website, text) == outcome(normalise_website, f" {text}")


@settings(max_examples=500)
@given(LINE)
def test_plain_text_is_cleaned_as_by_the_full_rules(text: str) -> None:
    for clean in (lambda each: clean_line(each, max_length=10), lambda each: clean_block(each, max_length=10)):
        assert outcome(clean, text) == outcome(clean, f"\u200b{text}")


@settings(max_examples=500)
@given(LINE)
def test_plain_text_has_the_search_key_of_the_full_rules(text: str) -> None:
    assert search_key(text) == search_key(f"{text}\u200b")
    assert search_text(text, None, "a@b.co", None) == search_text(f"{text}\u200b", None, "a@b.co", None)
