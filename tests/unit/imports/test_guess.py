"""Detection of columns by header and content, in several languages."""

import csv

import pytest

from leadflood.domains.imports.models.column_detection import detect_columns
from leadflood.domains.imports.models.fields import check_target
from leadflood.domains.imports.models.format import SourceRow
from leadflood.domains.imports.models.header_row import find_header
from leadflood.kernel.text import InvalidValue
from tests.support.samples import SAMPLES


def targets(header: list[str] | None, *rows: list[str]) -> list[str]:
    width = len(header or rows[0])
    return [column.target for column in detect_columns(header, rows, width=width)]


def test_columns_that_only_exports_have_are_recognized_in_our_own_files_alone() -> None:
    export_only = {"fitScore": "Fit score"}
    row = ["ada@acme.com", "high", "2026-03-01T09:30:00Z"]

    def target(*header: str) -> str:
        return detect_columns(header, [row], width=3, export_only=export_only)[1].target

    assert target("Email", "Fit score", "Created (UTC)") == "ignore"
    assert target("email", "fitScore", "createdAt") == "ignore"
    assert target("Email", "Fit score", "Signed up") == "custom:fit_score"
    assert targets(["Email", "Fit score", "Created (UTC)"], row)[1] == "custom:fit_score"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (
            ["E-Mail", "Vorname", "Nachname", "Firma", "Telefon", "Land"],
            "email firstName lastName company phone country",
        ),
        (
            ["Correo electrónico", "Nombre", "Apellidos", "Empresa", "Cargo"],
            "email firstName lastName company jobTitle",
        ),
        (["Adresse e-mail", "Prénom", "Nom", "Société", "Pays"], "email firstName lastName company country"),
        (["EMAIL_ADDRESS", "Full Name", "Organization", "Web site"], "email fullName company website"),
        (["Vorname", "Name", "Mail"], "firstName lastName email"),
        (["Email 1", "Email 2", "Phone 1", "Phone 2"], "email otherEmail:email_2 phone custom:phone_2"),
    ],
)
def test_headers_are_understood(header: list[str], wanted: str) -> None:
    cells = {"mail": "ada@acme.com", "orreo": "ada@acme.com", "site": "acme.com", "ele": "+49 30 1", "phone": "030 12"}
    row = [next((cells[part] for part in cells if part in name.lower()), "x") for name in header]

    assert " ".join(targets(header, row)) == wanted


def test_what_has_no_header_is_told_by_what_is_in_it() -> None:
    rows = [["Ada", "ada@acme.com", "acme.com", "GB"], ["Bob", "bob@acme.org", "https://acme.org", "Germany"]]

    assert find_header([SourceRow(number, row) for number, row in enumerate(rows, start=1)]) is None
    assert targets(None, *rows) == ["ignore", "email", "website", "country"]


def test_a_header_that_lies_loses_to_the_cells() -> None:
    rows = [["Ada", "ada@acme.com"], ["Bob", "bob@acme.org"]]

    assert targets(["Email", "Contact"], *rows)[1] == "email"


@pytest.mark.parametrize(
    "name", ["Unsubscribed", "Opt-out", "opt_in", "GDPR consent", "Do not contact", "DoNotEmail", "Abgemeldet"]
)
def test_who_may_be_contacted_is_never_imported(name: str) -> None:
    assert targets(["email", name], ["ada@acme.com", "yes"]) == ["email", "ignore"]


@pytest.mark.parametrize(
    "target", ["custom:unsubscribed", "custom:optOut", "custom:gdpr_consent", "custom:doNotContact", "optOut", "status"]
)
def test_no_column_can_be_mapped_to_permission_by_hand(target: str) -> None:
    with pytest.raises(InvalidValue):
        check_target(target)


@pytest.mark.samples
@pytest.mark.parametrize("name", ["datablist-customers-1000.csv", "datablist-leads-1000.csv"])
def test_real_files_are_understood(name: str) -> None:
    with (SAMPLES / "leads" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    found = {column.header: column.target for column in detect_columns(rows[0], rows[1:200], width=len(rows[0]))}

    assert found["First Name"] == "firstName"
    assert found["Last Name"] == "lastName"
    assert found["Company"] == "company"
    assert found["Phone 1"] == "phone"
    assert found["Website"] == "website"
    assert "email" in found.values()
    assert "owner" not in found.values()  # the names in it are no members' addresses
