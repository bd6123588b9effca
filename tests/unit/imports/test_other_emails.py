"""Further columns of addresses: a row without an address in the first one gets its lead all the same."""

import pytest

from tests.support.desk import csv_of
from tests.support.reading import read_file

HEADERS = [
    ("Email", "Secondary Email"),
    ("E-mail 1 - Value", "E-mail 2 - Value"),
    ("Work Email", "Personal Email"),
    ("Email", "Email 2"),
    ("E-mail Address", "E-mail 2 Address"),
    ("E-Mail", "Zweite E-Mail"),
    ("E-Mail geschäftlich", "E-Mail privat"),
    ("Correo electrónico", "Correo electrónico alternativo"),
    ("Person - Email - Work", "Person - Email - Home"),
    ("Email", "Additional email addresses"),
    ("Adresse e-mail", "Adresse e-mail personnelle"),
]


@pytest.mark.parametrize(("first", "second"), HEADERS)
def test_a_row_without_an_address_gets_that_of_the_next_column(first: str, second: str) -> None:
    rows = [
        ["Ada", "ada@acme.com", "home@ada.example"],
        *([name, f"{name}@acme.com", ""] for name in ("Bob", "Bill", "Ben", "Bea")),
        ["Ilse", "", "ilse@brandt.example"],
        ["Eve", "n/a", "eve@brandt.example"],
        ["Mia", "mia@nowhere", "mia@brandt.example"],
    ]

    found = read_file(csv_of([["First Name", first, second], *rows]))

    key = found.targets[2].removeprefix("otherEmail:")
    assert found.targets == ["firstName", "email", f"otherEmail:{key}"]
    assert found.column("email") == [
        "ada@acme.com", "Bob@acme.com", "Bill@acme.com", "Ben@acme.com", "Bea@acme.com",
        "ilse@brandt.example", "eve@brandt.example", "mia@brandt.example",
    ]  # fmt: skip
    assert found.column(f"custom:{key}") == ["home@ada.example", *[None] * 7]
    assert found.left_out == {
        7: {"/email other_column"},
        8: {"/email other_column"},
        9: {"/email other_column", "/email invalid_format"},
    }
    assert "other_emails" in found.notices


def test_the_report_has_the_value_and_says_which_column_it_is_from() -> None:
    found = read_file(csv_of([["Email", "Work Email 2"], ["a@acme.com", ""], ["", "b@acme.com"]]))

    (fault,) = found.rows[3]["faults"]
    assert fault["value"] == "b@acme.com"
    assert "Work email 2" in fault["message"]


def test_columns_are_asked_from_left_to_right_and_what_is_not_used_is_kept() -> None:
    targets = ["email", "otherEmail:two", "otherEmail:three"]
    rows = [["", "", "c@acme.com"], ["", "none", "d@acme.com"], ["", "Bob <b@acme.com>; x@acme.com", "e@acme.com"]]

    found = read_file(csv_of([["Email", "Two", "Three"], *rows]), targets=targets)

    assert found.column("email") == ["c@acme.com", "d@acme.com", "b@acme.com"]
    assert found.column("custom:three") == [None, None, "e@acme.com"]
    assert found.left_out[4] == {"/email other_column", "/email other_value"}


def test_a_row_without_an_address_in_any_column_is_rejected() -> None:
    found = read_file(csv_of([["Email", "Email 2"], ["a@acme.com", ""], ["", ""], ["", "nobody"], ["Ada", "x"]]))

    assert found.rejected == {4: {"/email required"}, 5: {"/email invalid_format"}}


@pytest.mark.parametrize(
    ("cells", "rejected"),
    [(["", "b@acme.com"], set()), (["n/a", "b@acme.com"], set()), (["b@acme", "b@acme.com"], {4})],
)
def test_the_strict_policy_rejects_invalid_addresses_and_not_empty_ones(cells: list[str], rejected: set[int]) -> None:
    found = read_file(csv_of([["Email", "Email 2"], ["a@acme.com", ""], ["c@acme.com", ""], cells]), invalid="reject")

    assert set(found.rejected) == rejected


@pytest.mark.parametrize(
    "header", ["Company Email", "Email (Firma)", "Billing Email", "Manager Email", "Lead Owner Email"]
)
def test_the_address_of_someone_else_is_never_the_lead_s(header: str) -> None:
    found = read_file(csv_of([["Email", header], ["a@acme.com", "office@acme.com"], ["", "other@acme.com"]]))

    assert not any(target.startswith("otherEmail:") for target in found.targets)
    assert set(found.rejected) == {3}
