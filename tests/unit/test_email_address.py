"""Addresses that are refused: why, and which one was probably meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.email_typos import corrected_addresses
from leadflood.kernel.schema import field_errors
from leadflood.kernel.text import InvalidValue


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("jane@yahoo", "jane@yahoo.com"),
        ("JANE@Yahoo", "JANE@yahoo.com"),
        ("jane@yahoo.", "jane@yahoo.com"),
        ("jane@gmail", "jane@gmail.com"),
        ("jane@icloud", "jane@icloud.com"),
        ("jane@t-online", "jane@t-online.de"),
        ("jane@yahoocom", "jane@yahoo.com"),
        ("jane@hotmal", "jane@hotmail.com"),
        ("jane@gmail,com", "jane@gmail.com"),
        ("jane@gmial,com", "jane@gmail.com"),
        ("jane@acme,de", "jane@acme.de"),
        ("jane@gmail_com", "jane@gmail.com"),
        ("jane@gmail..com", "jane@gmail.com"),
        ("jane..doe@gmail.com", "jane.doe@gmail.com"),
        ("jane.@gmail.com", "jane@gmail.com"),
        ("jane @ gmail . com", "jane@gmail.com"),
        ("jane@@gmail.com", "jane@gmail.com"),
        ("jane@acme.com.", "jane@acme.com"),
        ("jane@acme.com,", "jane@acme.com"),
        ("'jane@acme.com'", "jane@acme.com"),
        ("<jane@acme.com>", "jane@acme.com"),
        ("Jane Doe <jane@acme.com>", "jane@acme.com"),
        ("mailto:jane@acme.com", "jane@acme.com"),
        ("jane(at)acme.com", "jane@acme.com"),
        ("jane [at] acme [dot] com", "jane@acme.com"),
        ("janegmail.com", "jane@gmail.com"),
        ("jane2gmail.com", "jane@gmail.com"),
    ],
)
def test_a_refused_address_comes_with_the_one_that_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(InvalidValue, match=rf"^Enter a valid email address\. Did you mean {re.escape(meant)}\?$"):
        parse_email(typed)


@pytest.mark.parametrize(
    "typed",
    ["", "jane", "jane@", "@gmail.com", "gmail.com", "jane@acme", "jane doe@gmail.com", "jane@gmx", "jane@localhost",
     "a@acme.com;b@acme.com", "😀@acme", "@", "<>", "at", "jane@123"],
)  # fmt: skip
def test_nothing_is_suggested_where_several_may_be_meant(typed: str) -> None:
    with pytest.raises(InvalidValue, match=r"^Enter a valid email address\.$"):
        parse_email(typed)


def test_the_suggestion_is_part_of_the_error_of_the_field() -> None:
    with pytest.raises(ValidationError) as caught:
        CreateLead.model_validate({"email": "jane@yahoo"})

    (error,) = field_errors(caught.value)
    assert (error.pointer, error.code) == ("/email", "invalid_format")
    assert error.message == "Enter a valid email address. Did you mean jane@yahoo.com?"


@pytest.mark.parametrize("local", ["ö" * 32, "a" * 64, "語" * 21, "ß" * 16])
def test_a_local_part_of_64_octets_is_accepted(local: str) -> None:
    assert parse_email(f"{local}@acme.com").display == f"{local}@acme.com"


@pytest.mark.parametrize("local", ["ö" * 33, "a" * 65, "語" * 22, "\U0001f600" * 17, "İ" * 22])
def test_a_longer_one_is_refused_by_octets_as_written_and_as_compared(local: str) -> None:
    with pytest.raises(InvalidValue, match="The part before the @ can have at most 64 bytes") as caught:
        parse_email(f"{local}@acme.com")
    assert caught.value.code == "too_long"


@given(st.text(max_size=60))
def test_what_is_suggested_is_an_address(text: str) -> None:
    try:
        parse_email(text)
    except InvalidValue as error:
        _, asked, meant = str(error).partition("Did you mean ")
        assert not asked or parse_email(meant.removesuffix("?")).display == meant.removesuffix("?")
    assert len(list(corrected_addresses(text))) <= 3
