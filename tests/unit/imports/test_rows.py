"""A row becomes exactly the lead that `POST /v1/leads` would make of the same values, or is refused as there."""

from collections.abc import Mapping
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from leadflood.domains.imports.contracts.lead_row import FieldRules, LeadColumns, RowDefaults, columns_of
from leadflood.domains.imports.contracts.row_reader import RowReader
from leadflood.domains.imports.contracts.rows import HARMLESS, StagedRow
from leadflood.domains.imports.models.cells import EMPTY_WORDS, strip_cell
from leadflood.domains.imports.models.states import InvalidValues
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.errors import FieldError
from leadflood.kernel.formulas import restore
from leadflood.kernel.schema import field_errors
from leadflood.kernel.text import is_blank

TARGETS = ["email", "firstName", "company", "phone", "country", "website", "custom:plan"]
CELL = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "ada@acme.com", " Ada ", "020 7946 0958", "GB", "Narnia", "acme.com", "=1+1", "'=1+1", "x" * 300]
    ),
)


def reader(*targets: str, invalid: InvalidValues = InvalidValues.DROP, country: str | None = None) -> RowReader:
    return RowReader(
        targets or TARGETS,
        owners={"ada@acme.com": uuid4()},
        defaults=RowDefaults("import", country=country),
        invalid=invalid,
    )


@given(st.lists(CELL, min_size=7, max_size=7))
def test_the_contract_of_the_api_decides(cells: list[str]) -> None:
    strict, kind = reader(invalid=InvalidValues.REJECT).read(2, cells), reader().read(2, cells)
    given_ = {name: restore(strip_cell(cell)) for name, cell in zip(TARGETS, cells, strict=True)}
    given_ = {name: cell for name, cell in given_.items() if cell and cell not in EMPTY_WORDS}
    plan = given_.pop("custom:plan", None)
    body = {**given_, **({"customFields": {"plan": plan}} if plan else {})}

    if not any(map(strip_cell, cells)):
        assert strict.blank
        assert kind.blank
        return
    lead, faults = outcome(body)
    assert (kind.lead is None) == any(fault.pointer == "/email" for fault in faults)
    assert {(fault.pointer, fault.code) for fault in faults} <= codes(kind) | {
        (f"/{f}", c) for f, c in REPORTED_OTHERWISE
    }
    if lead is not None:
        assert strict.lead == kind.lead == lead
    elif any(fault.code not in HARMLESS for fault in kind.faults):
        assert strict.lead is None
        assert strict.raw == cells


REPORTED_OTHERWISE = [(field, "invalid_format") for field in ("phone", "website", "country")]
"""Errors that may be reported as placeholders instead, such as a phone number of 0."""


def codes(row: StagedRow) -> set[tuple[str, str]]:
    """Field and code of what is wrong with a row."""
    return {(fault.pointer, fault.code) for fault in row.faults}


NAME = st.one_of(
    st.none(), st.text(st.characters(max_codepoint=0x1200), max_size=8), st.sampled_from(["José", "x" * 201])
)
MEMBER = uuid4()
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["ada@acme.com", "Ada.L@ACME.com", "jörg@münchen.de", " ada@acme.com ", "nobody"]),
        "firstName": NAME,
        "lastName": NAME,
        "company": NAME,
        "jobTitle": NAME,
        "phone": st.sampled_from(["+49 1518 1871926", "020 7946 0958", "+44 20 7946 0958", "+1", "01518 1871926"]),
        "website": st.sampled_from(["acme.com", "HTTPS://Acme.com/a#b", "no site"]),
        "country": st.sampled_from(["GB", "germany", "Narnia"]),
        "source": st.sampled_from(["web-form", "Web Form"]),
        "ownerId": st.just(MEMBER),
        "customFields": st.dictionaries(
            st.sampled_from(["plan", "seats", "notes"]),
            st.one_of(st.text(max_size=5), st.just("\u20ac" * 500)),
            min_size=1,
        ),
    },
)


@settings(max_examples=200)
@given(GIVEN)
def test_the_quick_way_is_that_of_the_contract(given_: dict[str, object]) -> None:
    body = {name: value for name, value in given_.items() if not (value is None or is_blank(str(value)))}
    defaults = RowDefaults("import", uuid4())

    quick = FieldRules(defaults).columns(body)

    try:
        wanted = columns_of(CreateLead.model_validate(body), defaults)
    except ValidationError:
        wanted = None
    assert quick == wanted


def test_custom_fields_that_could_be_too_much_are_left_to_the_contract() -> None:
    notes = {f"notes{number}": "\u20ac" * 1000 for number in range(6)}
    assert FieldRules(RowDefaults("import")).columns({"email": "ada@acme.com", "customFields": notes}) is None
    assert CreateLead.model_validate({"email": "ada@acme.com", "customFields": notes}).custom_fields == notes


def outcome(body: Mapping[str, object]) -> tuple[LeadColumns | None, list[FieldError]]:
    """Result of a body in the API: the lead, or the errors."""
    try:
        return columns_of(CreateLead.model_validate(body), RowDefaults("import")), []
    except ValidationError as refusal:
        return None, field_errors(refusal)


def test_all_faults_of_a_row_are_told_with_field_code_and_remedy() -> None:
    row = reader(invalid=InvalidValues.REJECT).read(2, ["nobody", "Ada", "", "12", "Narnia", "", ""])

    assert [(fault.pointer, fault.code) for fault in row.faults] == [
        ("/country", "invalid_format"),
        ("/phone", "invalid_format"),
        ("/email", "invalid_format"),
    ]
    assert [fault.value for fault in row.faults] == ["Narnia", "12", "nobody"]
    assert all(fault.message.endswith(".") for fault in row.faults)


def test_values_at_fault_are_left_out() -> None:
    row = reader().read(2, ["ada@acme.com", "Ada", "", "12", "GB", "no site", ""])

    assert row.lead is not None
    assert (row.lead.first_name, row.lead.phone, row.lead.website) == ("Ada", None, None)
    assert {fault.pointer for fault in row.faults} == {"/phone", "/website"}


def test_without_a_valid_address_there_is_no_lead_even_so() -> None:
    row = reader().read(2, ["nobody", "Ada", "", "", "", "", ""])

    assert row.lead is None
    assert [fault.pointer for fault in row.faults] == ["/email"]


def test_a_row_with_too_many_cells_is_rejected_for_they_may_have_moved() -> None:
    row = reader("email", "company").read(2, ["ada@acme.com", "Acme", " Inc"])

    assert row.lead is None
    assert [fault.code for fault in row.faults] == ["too_many_cells"]
    assert reader("email", "company").read(2, ["ada@acme.com"]).lead is not None
    assert reader("email", "company").read(2, ["ada@acme.com", "Acme", "", ""]).lead is not None


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Lovelace, Ada", "Ada", "Lovelace"),
        ("Dr. Maria van der Berg", "Dr. Maria", "van der Berg"),
        ("John Q. Public Jr.", "John Q.", "Public Jr."),
        ("Madonna", "Madonna", None),
    ],
)
def test_a_full_name_is_split(cell: str, first: str, last: str | None) -> None:
    lead = reader("email", "fullName").read(2, ["ada@acme.com", cell]).lead

    assert lead is not None
    assert (lead.first_name, lead.last_name) == (first, last)


def test_a_source_in_words_becomes_a_token_and_an_owner_is_a_member() -> None:
    found = reader("email", "source", "owner")

    lead = found.read(2, ["bob@acme.com", "Social Media", "ADA@acme.com"]).lead
    stranger = found.read(3, ["bob@acme.com", "", "eve@acme.com"])

    assert lead is not None
    assert lead.source == "social-media"
    assert lead.owner_id is not None
    assert [fault.code for fault in stranger.faults] == ["unknown_owner"]


def test_numbers_in_national_form_take_the_country_of_the_import() -> None:
    lead = reader(country="GB").read(2, ["ada@acme.com", "", "", "020 7946 0958", "", "", ""]).lead

    assert lead is not None
    assert lead.phone == "+442079460958"
