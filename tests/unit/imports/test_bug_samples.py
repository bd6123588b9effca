"""The inputs that went wrong once, each with what is right. They lie beside the checkout, and are read there.

The same kinds, made here, are in the other tests of this folder, which always run.
"""

import re

import pytest

from leadflood.domains.imports.errors import UnreadableFile
from tests.support.reading import ReadFile, read_file
from tests.support.samples import SAMPLES

pytestmark = pytest.mark.samples


def sample(name: str) -> ReadFile:
    return read_file((SAMPLES / "bugs" / name).read_bytes())


def test_02_the_line_that_names_the_delimiter_is_passed_over() -> None:
    found = sample("02-sep-line.csv")

    assert found.column("first_name") == ["Käthe", "Uwe"]
    assert found.column("last_name") == ["Wolff", "Ahlers"]
    assert found.column("company") == ["Wolff GmbH", "Ahlers KG"]


def test_05_an_empty_first_sheet_is_passed_over() -> None:
    found = sample("05-empty-first-sheet.xlsx")

    assert found.analysis.format.sheet == "Contacts"
    assert found.column("company") == ["Quill Ltd"]


@pytest.mark.parametrize("name", ["personen", "umsatz"])
def test_07_the_delimiter_leaves_addresses_whole(name: str) -> None:
    found = sample(f"07-comma-in-every-semicolon-row-{name}.csv")

    assert found.analysis.format.delimiter == ";"
    assert not found.rejected


def test_08_countries_have_names_in_languages_of_their_own() -> None:
    assert sample("08-country-local-names.csv").column("country") == ["DE", "AT", "CH", "ES"]


def test_10_owners_who_are_no_members_are_left_out() -> None:
    found = sample("10-owner-of-another-tool.csv")

    assert len(found.leads) == 2
    assert found.left_out == {2: {"/ownerId unknown_owner"}, 3: {"/ownerId unknown_owner"}}


def test_11_a_file_in_another_order_is_another_file() -> None:
    first, second = sample("11-mapping-nonlatin-a.csv"), sample("11-mapping-nonlatin-b.csv")

    assert first.analysis.fingerprint != second.analysis.fingerprint
    assert (second.column("first_name")[0], second.column("last_name")[0]) == ("Ольга", "Лебедева")


def test_13_nothing_of_a_name_is_lost() -> None:
    found = sample("13-full-names.csv")

    names = [*zip(found.column("first_name"), found.column("last_name"), strict=True)]
    assert names == [("Blessed", "Okoro"), ("Prince", "Mehta"), ("Baron", "Whitlock"), ("Hon", "Pham")]


def test_14_the_first_address_of_google_is_the_address() -> None:
    found = sample("14-google.csv")

    assert found.column("email") == ["t.go1@example-go.test", "t.go2@example-go.test"]
    assert found.left_out == {3: {"/email other_value"}}


def test_14_a_bad_cell_does_not_move_the_mapping() -> None:
    found = sample("14-google-one-typo.csv")

    assert found.targets[3] == "email"
    assert found.rejected == {3: {"/email invalid_format"}}


def test_15_invisible_characters_come_off_addresses() -> None:
    found = sample("15-invisible-characters.csv")

    assert found.column("email") == [f"t.em{number}@example-em.test" for number in (1, 2, 16, 17)]
    assert not found.rejected


def test_16_blank_rows_are_empty() -> None:
    found = sample("16-blank.csv")

    assert len(found.leads) == 2
    assert not found.rejected


def test_17_columns_of_the_same_name_are_kept_apart() -> None:
    found = sample("17-duplicate-headers.csv")

    assert found.targets == ["email", "phone", "custom:phone_2", "custom:notes", "custom:notes_2"]
    assert found.column("custom:notes_2") == ["second note", "only second"]


def test_18_a_long_note_is_cut() -> None:
    found = sample("18-long-note.csv")

    assert len(found.leads) == 2
    assert found.left_out == {2: {"/customFields/notes cut"}}
    assert found.column("custom:notes")[0].startswith("word word")


def test_19_cells_are_read_as_people_see_them() -> None:
    (lead,) = sample("19-cell-formats.xlsx").leads

    custom = lead["custom_fields"]
    assert (custom["zip"], custom["share"], custom["member_since"]) == ("01067", "15%", "2024-02-29")


def test_20_a_phone_number_is_right_or_refused() -> None:
    found = sample("20-phones.csv")

    assert found.column("phone") == [
        None, "+491701234567", "+491701234567", "+436641234567", "+393401234567", "+447911123456", "+14155552671",
    ]  # fmt: skip
    assert found.left_out == {2: {"/phone digits_lost"}}


def test_21_one_invalid_byte_changes_its_row_only() -> None:
    found = sample("21-one-invalid-byte.csv")

    assert found.column("last_name")[:12] == [f"Müller{number}" for number in range(1, 13)]
    assert found.column("last_name")[-1] == "Müller99"
    assert "invalid_bytes" in found.notices


def test_23_placeholders_are_empty_and_reported() -> None:
    found = sample("23-placeholders.csv")

    for field in ("phone", "website", "country"):
        assert found.column(field) == [None] * 5
    assert found.left_out[2] == {"/phone placeholder", "/website placeholder", "/country placeholder"}


def test_26_a_column_that_looks_empty_is_kept() -> None:
    found = sample("26-column-empty-in-the-sample.csv")

    assert found.targets[2] == "custom:segment"
    assert found.column("custom:segment")[-1]
    assert "empty_columns" in found.notices


def test_30_an_unclosed_quotation_mark_is_refused_with_its_line() -> None:
    with pytest.raises(UnreadableFile, match=re.escape("opens in line 3 ")):
        sample("30-unclosed-quote.csv")


@pytest.mark.parametrize(("name", "row"), [("early", 3), ("late", 205)])
def test_33_a_row_wider_than_the_header_is_rejected(name: str, row: int) -> None:
    assert sample(f"33-too-many-cells-{name}.csv").rejected == {row: {" too_many_cells"}}


def test_34_words_that_contain_an_opt_out_are_ordinary() -> None:
    assert sample("34-header-contains-baja.csv").targets[2:] == ["custom:trabajadores", "custom:rebaja"]
