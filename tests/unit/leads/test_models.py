import re
from collections.abc import Callable
from types import SimpleNamespace
from unicodedata import normalize

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.models import (
    TRANSITIONS,
    LeadStatus,
    clean_custom_value,
    normalise_source,
)
from leadflood.kernel import email_address
from leadflood.kernel.email_address import EmailAddress, parse_email
from leadflood.kernel.field_types import MAX_SAFE_INTEGER, check_field_key
from leadflood.kernel.phone_number import normalise_phone, phone_needs_country
from leadflood.kernel.text import InvalidValue, clean_line, search_key
from leadflood.kernel.web_address import normalise_website
from tests.support.samples import scored
from tests.support.search_text import search_text


@pytest.mark.parametrize(
    ("typed", "display", "norm"),
    [
        ("Ada.Lovelace@ACME.com", "Ada.Lovelace@acme.com", "ada.lovelace@acme.com"),
        (" ada+news@acme.com\n", "ada+news@acme.com", "ada+news@acme.com"),
        ("ada@example.com", "ada@example.com", "ada@example.com"),
        ("Ada@Acme.TEST", "Ada@acme.test", "ada@acme.test"),
        ("demo@leadflood.local", "demo@leadflood.local", "demo@leadflood.local"),
        ("demo@Leadflood.LOCAL", "demo@leadflood.local", "demo@leadflood.local"),
        ("Jörg@Bücher.example", "Jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ("JO\u0308RG@xn--bcher-kva.example", "JÖRG@bücher.example", "jörg@xn--bcher-kva.example"),
        ("राम@मोहन.ईन्फो", "राम@मोहन.ईन्फो", "राम@xn--l2bl7a9d.xn--o1b8dj2ki"),
        ('"ada lovelace"@acme.com', '"ada lovelace"@acme.com', '"ada lovelace"@acme.com'),
    ],
)
def test_an_email_address_has_a_form_to_show_and_one_to_compare(typed: str, display: str, norm: str) -> None:
    email = parse_email(typed)

    assert (email.display, email.norm) == (display, norm)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@acme",
        "ada@test",
        "ada@localhost",
        "ada@acme.invalid",
        "ada@.local",
        "ada@local",
        "a..b@acme.com",
        "Ada <ada@acme.com>",
        "ada@[127.0.0.1]",
        "ada@acme.com\x00",
        "a\ud800@acme.com",
        "ada@exa mple.com",
        f"{'a' * 65}@acme.com",
        "a" * 1_000_000,
    ],
)
def test_what_is_no_email_address_is_refused_in_plain_words_or_with_the_limit(typed: str) -> None:
    with pytest.raises(InvalidValue, match=r"Enter a valid email address|Maximum 254 bytes|at most 64 bytes") as caught:
        parse_email(typed)

    assert len(str(caught.value)) < 300


@pytest.mark.samples
def test_email_addresses_on_which_all_suites_agree_are_judged_alike() -> None:
    judged = [(row["input"], row["expected"]["verdict"] == "valid") for row in scored("email/agreed.jsonl")]
    differing = [text for text, valid in judged if accepted(text) != valid]

    # One: a domain of emoji, which IDNA 2008 (RFC 5892) does not allow.
    assert len(differing) <= 1, differing


def accepted(text: str) -> bool:
    try:
        parse_email(text)
    except InvalidValue:
        return False
    return True


def test_an_example_of_each_country_comes_out_in_e164_however_it_is_written() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number(region)
        assert number is not None
        e164, international, national, rfc3966 = (phonenumbers.format_number(number, form) for form in range(4))
        for typed in (e164, international, international.replace(" ", "\u00a0"), national, rfc3966):
            assert normalise_phone(typed, region) == e164, (region, typed)


@pytest.mark.samples
def test_phone_numbers_of_the_samples_come_out_in_e164() -> None:
    for row in scored("phone/examples.jsonl"):
        extension = row["expected"].get("extension")
        wanted = row["expected"]["e164"] + (f";ext={extension}" if extension else "")
        assert normalise_phone(row["input"], row["region"]) == wanted, row["id"]


@pytest.mark.samples
def test_invalid_phone_numbers_are_refused_in_all_countries() -> None:
    for row in scored("phone/validator_js.jsonl"):
        try:
            found = normalise_phone(row["input"], row["region"])
        except InvalidValue:
            found = None
        wanted = row["expected"]["e164"]
        assert (found.partition(";")[0] if found else None) == wanted, row["id"]


@pytest.mark.parametrize(
    ("typed", "country", "stored"),
    [
        ("030 123456", "DE", "+4930123456"),
        ("+49 30 123456", None, "+4930123456"),
        ("+49 30 123456", "US", "+4930123456"),
        ("0049 30 123456", None, "+4930123456"),
        ("020 7946 0958 ext. 12", "GB", "+442079460958;ext=12"),
        ("\u200e+44 20\u00a07946\u202f0958", None, "+442079460958"),
        ("491701234567", "DE", "+491701234567"),
        ("436641234567", "AT", "+436641234567"),
        ("8912345678", "DE", "+498912345678"),
        ("491701234567.0", "DE", "+491701234567"),
    ],
)
def test_a_phone_number_is_read_as_people_write_it(typed: str, country: str | None, stored: str) -> None:
    assert normalise_phone(typed, country) == stored
    assert normalise_phone(stored, country) == stored


@pytest.mark.parametrize(
    ("typed", "country", "remedy"),
    [
        ("030 123456", None, "Include the country code"),
        ("030 123456", "AQ", "Include the country code"),
        ("+1 555 0100", None, "valid for its country"),
        ("hello", "DE", "Enter a phone number"),
        ("+", None, "Enter a phone number"),
        ("1" * 99, "DE", "Enter a phone number"),
        ("4.91702E+11", "DE", "digits were lost"),
        ("447911123456", "DE", "another country"),
        ("0170 1234567 / 0171 7654321", "DE", "a single phone number"),
    ],
)
def test_a_phone_number_that_cannot_be_called_names_the_remedy(typed: str, country: str | None, remedy: str) -> None:
    with pytest.raises(InvalidValue, match=remedy):
        normalise_phone(typed, country)


def test_only_a_number_in_national_form_needs_a_country() -> None:
    assert phone_needs_country("030 123456")
    assert not phone_needs_country("+49 30 123456")
    assert not phone_needs_country("0049 30 123456")
    assert not phone_needs_country("hello")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("acme.com", "https://acme.com"),
        ("ACME.com/", "https://acme.com"),
        ("acme.com.", "https://acme.com"),
        ("http://Acme.com:80/Team/?q=1#top", "http://acme.com/Team/?q=1"),
        ("https://acme.com:8443", "https://acme.com:8443"),
        ("acme.com:8443/x", "https://acme.com:8443/x"),
        ("bücher.de/über uns".replace(" ", "-"), "https://xn--bcher-kva.de/%C3%BCber-uns"),
        ("https://xn--bcher-kva.de", "https://xn--bcher-kva.de"),
        ("acme.com?ref=1", "https://acme.com?ref=1"),
        ("acme.com/a%20b", "https://acme.com/a%20b"),
    ],
)
def test_a_website_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert normalise_website(typed) == stored
    assert normalise_website(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "acme",
        "localhost:3000",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://0x7f.1/",
        "ftp://acme.com",
        "javascript:alert(1)",
        "javascript://acme.com/%0Aalert(1)",
        "data:text/html,x",
        "https://ada:pw@acme.com",
        "ada@acme.com",
        "acme.com:99999",
        "acme.com:0",
        "https://acme.com:00/x",
        "acme.com:x",
        "https://acme..com",
        "https://-acme.com",
        "https://ac me.com",
        "https://acme.com\\@evil.com",
        "https:////acme.com",
        "https://[acme.com",
        "https://ac_me.com",
        "https://acme.com/" + "ü" * 1000,
        "a" * 3000,
    ],
)
def test_what_is_no_website_of_a_lead_is_refused(typed: str) -> None:
    with pytest.raises(InvalidValue):
        normalise_website(typed)


@pytest.mark.samples
def test_websites_of_real_companies_are_accepted() -> None:
    for row in scored("names/company_domain.jsonl"):
        assert normalise_website(row["expected"]["domain"]).startswith("https://")


def test_a_source_is_a_lower_case_token() -> None:
    for text, token in ((" Web-Form ", "web-form"), ("Trade Show 2026", "trade-show-2026"), ("Größe!", "grosse")):
        assert (normalise_source(text), normalise_source(token)) == (token, token)
    for refused in ("", "-", "🚀", "a" * 201, "a\0b"):
        with pytest.raises(InvalidValue):
            normalise_source(refused)


@pytest.mark.parametrize("value", ["line\nline", "", "e\u0301", 0, -1.5, True, None, MAX_SAFE_INTEGER])
def test_a_custom_field_holds_text_numbers_booleans_and_null(value: object) -> None:
    kept = clean_custom_value(value)

    assert type(kept) is type(value)
    assert clean_custom_value(kept) == kept


@pytest.mark.parametrize(
    "value", [{}, [], "\x00", "\ud800", "x" * 2001, float("nan"), float("inf"), MAX_SAFE_INTEGER + 1, -(10**400)]
)
def test_a_custom_field_refuses_what_json_readers_disagree_on(value: object) -> None:
    with pytest.raises(InvalidValue):
        clean_custom_value(value)


@pytest.mark.parametrize("key", ["", "1a", "a-b", "a b", "ä", "a" * 65, "a\n", "\ud800", "_a"])
def test_a_custom_key_is_an_ascii_name(key: str) -> None:
    with pytest.raises(InvalidValue):
        check_field_key(key)


def test_every_status_says_where_it_may_go() -> None:
    assert TRANSITIONS.keys() == set(LeadStatus)
    assert LeadStatus.ENRICHED not in TRANSITIONS[LeadStatus.NEW]
    # A second attempt starts, and two overlapping jobs of one lead may both complete.
    assert {status for status, targets in TRANSITIONS.items() if status in targets} == {
        LeadStatus.PROCESSING,
        LeadStatus.ENRICHED,
    }


def test_a_full_name_is_found_as_a_phrase_but_no_phrase_spans_name_and_company() -> None:
    text = search_text("Ada", "Lovelace", "ada@acme.com", "Ünal Ltd")

    assert search_key("ADA LOVELACE") in text
    assert search_key("ünal ltd") in text
    assert search_key("lovelace ada@acme.com") not in text
    assert search_text(None, None, "ada@acme.com", None) == "ada@acme.com"


@pytest.mark.samples
def test_names_of_people_and_companies_survive_unharmed() -> None:
    sets = ("nameparser_v1", "nameparser_v2", "probablepeople_person", "probablepeople_company", "company_domain")
    for row in (row for name in sets for row in scored(f"names/{name}.jsonl")):
        if row["input"].strip():
            assert clean_line(row["input"], max_length=200) == normalize("NFC", " ".join(row["input"].split())), row[
                "id"
            ]


_ANY_TEXT = st.text(st.characters(), max_size=40)


@given(_ANY_TEXT | st.emails() | st.from_regex(r"[\w+.]{1,9}@[\w-]{1,9}\.(com|local|test|рф)"))
def test_an_email_address_normalises_to_itself(text: str) -> None:
    try:
        email = parse_email(text)
    except InvalidValue:
        return
    assert parse_email(email.display) == email
    assert parse_email(email.norm).norm == email.norm
    assert len(email.norm.encode()) <= 254


@given(
    st.emails()
    | st.from_regex(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,70}@[A-Za-z0-9.-]{1,9}\.(com|COM|local|invalid|1)")
    | st.from_regex(r"a@([a-z]{50,63}\.){2,4}com", fullmatch=True)
)
def test_a_plain_email_address_is_read_as_any_other(text: str) -> None:
    def reading(read: Callable[[str], EmailAddress]) -> EmailAddress | tuple[str, str]:
        try:
            return read(text)
        except InvalidValue as refused:
            return refused.code, str(refused)

    never = re.compile("(?!)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(email_address, "_PLAIN", never)
        slowly = reading(parse_email)
    assert reading(parse_email) == slowly


@given(_ANY_TEXT | st.from_regex(r"(https?://)?[\w-]{1,9}\.(com|de|рф)(:\d{1,5})?(/\S{0,20})?"))
def test_a_website_normalises_to_itself(text: str) -> None:
    try:
        website = normalise_website(text)
    except InvalidValue:
        return
    assert normalise_website(website) == website
    assert website.isascii()


@given(st.from_regex(r"(\+|00)?[\d\-() /.]{4,18}( ?(x|ext\.?) ?\d{1,5})?"), st.sampled_from([None, "DE", "US", "IT"]))
def test_a_phone_number_normalises_to_itself(text: str, country: str | None) -> None:
    try:
        phone = normalise_phone(text, country)
    except InvalidValue:
        return
    assert normalise_phone(phone, None) == phone


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        ("Ada", "Lovelace", "Ada Lovelace"),
        ("恵子", "中村", "中村 恵子"),
        ("민수", "김", "김 민수"),
        ("ジョン", "スミス", "ジョン スミス"),
        ("Keiko", "中村", "Keiko 中村"),
        ("伟", None, "伟"),
    ],
)
def test_the_family_name_comes_first_where_it_does_in_the_language(first: str, last: str | None, shown: str) -> None:
    lead = SimpleNamespace(email="a@acme.com", first_name=first, last_name=last)

    assert name_of(lead) == shown
