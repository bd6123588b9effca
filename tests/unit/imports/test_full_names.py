"""Full names in one cell: each word is kept, and the last name is found."""

from typing import Any

import pytest

from tests.support.desk import csv_of
from tests.support.reading import read_file


def split(name: str) -> dict[str, Any]:
    """First and last name of a lead with this full name."""
    (lead,) = read_file(csv_of([["email", "name"], ["ada@acme.com", name]]), targets=["email", "fullName"]).leads
    return dict(lead)


@pytest.mark.parametrize(
    "name",
    [
        "Blessed Okoro", "Prince Mehta", "Baron Whitlock", "Hon Pham", "Sir Ian Blair", "Rev. Tom Hall",
        "Judge Reinhold",
        "Dean Martin", "Duke Ellington", "King Wong", "Princess Diaz", "Major Singh", "Bishop Gupta", "Do Nguyen",
        "Ma Li",
        "Prof. Dr. Maria van der Berg", "Maria (Mia) Gomez", 'Jean-Paul "JP" Martin', "Anna Schmidt, PhD",
        "John Smith III", "Juan Carlos de la Cruz y García", "Smith, John A., Jr.", "Lovelace, Ada", "Madonna",
        "Herr Max Müller", "Mme Claire Dupont", "Dr. Okafor", "Vollmer, Tessa", "Иванов Иван Иванович", "王 小明",
        "O'Neil, Shaun", "Ludwig von Mises", "van Gogh", "Mary Ann Smith-Jones", "M. Night Shyamalan", "St. John Smith",
        "Esq. Martin", "Mr and Mrs Miller", "DR DRE", "José María Olazábal", "Müller geb. Maier, Eva", "Ann Lee MD",
    ],
)  # fmt: skip
def test_nothing_of_a_name_is_lost(name: str) -> None:
    lead = split(name)

    kept = f"{lead.get('first_name', '')} {lead.get('last_name', '')}"
    assert sorted(words(kept)) == sorted(words(name))
    assert lead.get("first_name")


def words(text: str) -> list[str]:
    return [word for part in text.split() if (word := part.strip(',()"'))]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Prince Mehta", "Prince", "Mehta"), ("Lovelace, Ada", "Ada", "Lovelace"), ("Ludwig von Mises", "Ludwig",
        "von Mises"),
        ("Dr. Maria van der Berg", "Dr. Maria", "van der Berg"), ("John Smith III", "John", "Smith III"),
        ("Jean-Luc Picard", "Jean-Luc", "Picard"), ("Иван Петров", "Иван", "Петров"),
    ],
)  # fmt: skip
def test_a_full_name_is_split_where_people_would(name: str, first: str, last: str) -> None:
    lead = split(name)

    assert (lead["first_name"], lead["last_name"]) == (first, last)


def test_a_full_name_fills_what_first_and_last_name_do_not_say() -> None:
    rows = [
        ["email", "first", "last", "full"],
        ["a@acme.com", "Ada", "King", "Ada Lovelace"],
        ["b@acme.com", "", "", "Bob Roe"],
        ["c@acme.com", "Cy", "", "Cy Young"],
    ]

    found = read_file(csv_of(rows), targets=["email", "firstName", "lastName", "fullName"])

    assert found.column("first_name") == ["Ada", "Bob", "Cy"]
    assert found.column("last_name") == ["King", "Roe", "Young"]
