"""Files as programs and people leave them: the header further down, several sheets, stray bytes, open quotes."""

import io
import re
from collections.abc import Mapping
from typing import Any

import pytest
from openpyxl import Workbook

from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import FileFormat, FileKind
from tests.support.desk import csv_of
from tests.support.reading import read_file

HEADER = ["E-Mail", "Vorname", "Firma"]
ROWS = [["ada@acme.com", "Ada", "Acme"], ["bob@acme.com", "Bob", "Böhm & Söhne"]]
TARGETS = ["email", "firstName", "company"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;", "\ufeffsep=;"])
def test_the_line_that_names_the_delimiter_is_no_row(line: str) -> None:
    found = read_file(line.encode() + b"\r\n" + csv_of([HEADER, *ROWS], delimiter=";"))

    assert found.targets == TARGETS
    assert found.column("email") == ["ada@acme.com", "bob@acme.com"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_that_a_file_names_is_used(delimiter: str) -> None:
    data = f"sep={delimiter}\n".encode() + csv_of(
        [["E-Mail", "Note"], ["ada@acme.com", "a;b,c|d"]], delimiter=delimiter
    )

    assert read_file(data).column("custom:note") == ["a;b,c|d"]


ABOVE: Mapping[str, list[list[str]]] = {
    "a title": [["Leads of the fair 2026"]],
    "a title and a blank line": [["Export"], []],
    "facts about the file": [["Company", "Acme GmbH"], ["Name", "Messe"], ["Created", "2026-03-01"]],
    "a note in quotes": [["Notes:"], ["When exporting your data, some of the addresses, may be missing."], []],
    "another language": [["Übersicht der Kontakte"], ["Stand: 01.03.2026"]],
}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", ABOVE)
def test_the_header_is_found_below_other_rows(name: str, delimiter: str) -> None:
    found = read_file(csv_of([*ABOVE[name], HEADER, *ROWS], delimiter=delimiter))

    assert found.analysis.format.header_row == len(ABOVE[name]) + 1
    assert found.targets == TARGETS
    assert len(found.leads) == 2
    assert "rows_above_header" in found.notices


def test_a_header_that_nobody_knows_is_found_by_its_width() -> None:
    data = csv_of([["Izvoz"], ["Xx", "Yy", "Zz"], ["ada@acme.com", "Ada", "1"], ["bob@acme.com", "Bob", "2"]])

    found = read_file(data)

    assert found.analysis.format.header_row == 2
    assert found.targets == ["email", "custom:yy", "custom:zz"]


def test_the_header_row_can_be_chosen() -> None:
    data = csv_of([["a@b.co", "B", "C"], HEADER, *ROWS])

    found = read_file(data, wanted=FileFormat(FileKind.CSV, header_row=2))

    assert found.targets == TARGETS
    with pytest.raises(UnreadableFile, match="Choose another header row"):
        read_file(data, wanted=FileFormat(FileKind.CSV, header_row=90))


def test_a_file_without_a_header_has_none() -> None:
    found = read_file(csv_of(ROWS))

    assert not found.analysis.format.header
    assert found.column("email") == ["ada@acme.com", "bob@acme.com"]
    assert "no_header" in found.notices


SEMICOLONS = {
    "names turned around": b"Name, Vorname;E-Mail\nVollmer, Tessa;ada@acme.com\nAhlers, Uwe;bob@acme.com\n",
    "decimal commas": b"E-Mail;Umsatz\nada@acme.com;1200,50\nbob@acme.com;99,00\n",
    "two commas in each row": b"Mail;Ort\nada@acme.com;a, b, c\nbob@acme.com;d, e, f\n",
    "one row": b"Mail;Ort\nada@acme.com;Bonn, Beuel\n",
}


@pytest.mark.parametrize("name", SEMICOLONS)
def test_a_comma_in_every_row_is_no_delimiter_where_addresses_break(name: str) -> None:
    found = read_file(SEMICOLONS[name])

    assert found.analysis.format.delimiter == ";"
    assert found.column("email")[0] == "ada@acme.com"


def book(**sheets: list[list[Any]]) -> bytes:
    made = Workbook()
    made.remove(made.worksheets[0])
    for title, rows in sheets.items():
        sheet = made.create_sheet(title.removeprefix("hidden_"))
        for row in rows:
            sheet.append(row)
        if title.startswith("hidden_"):
            sheet.sheet_state = "hidden"
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "others",
    [
        {"Cover": []},
        {"Cover": [["Leads"], ["made by", "sales"]]},
        {"hidden_Old": [HEADER, ["old@acme.com", "Old", "Acme"]]},
        {"A": [], "hidden_B": [["email"], ["old@acme.com"]], "C": [["x"]]},
    ],
)
def test_sheets_that_are_empty_hidden_or_without_addresses_are_passed_over(others: dict[str, list[list[str]]]) -> None:
    found = read_file(book(**others, People=[HEADER, *ROWS]))

    assert found.analysis.format.sheet == "People"
    assert found.column("first_name") == ["Ada", "Bob"]
    assert "other_sheets" in found.notices


COVERS: Mapping[str, list[list[str]]] = {
    "one contact": [["Kontakte 2026"], ["Ansprechpartner: chef@firma.de"]],
    "two contacts": [["Report"], ["it@firma.de"], ["Made by", "chef@firma.de"]],
    "its own table": [["Contact", "Email"], ["Chef", "chef@firma.de"]],
}


@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("headed", [True, False])
def test_a_cover_sheet_with_an_address_is_passed_over(cover: str, headed: bool) -> None:
    leads = [[f"lead{number}@acme.com", "Ada", "Acme"] for number in range(8)]

    found = read_file(book(Cover=COVERS[cover], Data=[HEADER, *leads[:2]] if headed and "own" not in cover else leads))

    assert found.analysis.format.sheet == "Data"


def test_of_equal_sheets_the_first_is_read() -> None:
    assert read_file(book(One=[HEADER, *ROWS], Two=[HEADER, *ROWS])).analysis.format.sheet == "One"


def test_a_sheet_can_be_chosen_even_a_hidden_one() -> None:
    data = book(People=[HEADER, *ROWS], hidden_Old=[HEADER, ["old@acme.com", "Old", "Acme"]])

    found = read_file(data, wanted=FileFormat(FileKind.XLSX, sheet="Old"))

    assert found.column("email") == ["old@acme.com"]


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (1067, "00000", "01067"),
        (123456789, "000-00-0000", "123-45-6789"),
        (2015550123, "(000) 000-0000", "(201) 555-0123"),
        (5550123, "[<=9999999]###-####;(###) ###-####", "555-0123"),
        (2015550123, "[<=9999999]###-####;(###) ###-####", "(201) 555-0123"),
        (7, '"K-"000', "K-007"),
        (0.15, "0%", "15%"),
        (0.1234, "0.0%", "12.3%"),
        (0.15, "0 %", "15 %"),
        (1.5, "0%", "150%"),
        (1234.5, '#,##0.00 "€"', "1234.5"),
        (491701234567, "0.00E+00", "491701234567"),
        (0.1 + 0.2, "General", "0.3"),
        (12, "0", "12"),
        (1e20, "General", "100000000000000000000"),
        (0.00001234, "General", "0.00001234"),
        (-7, "000", "-007"),
    ],
)
def test_a_number_of_a_workbook_is_read_as_its_format_shows_it(value: float, code: str, shown: str) -> None:
    made = Workbook()
    sheet = made.worksheets[0]
    sheet.append(["email", "Value"])
    sheet.append(["ada@acme.com", value])
    sheet["B2"].number_format = code
    file = io.BytesIO()
    made.save(file)

    assert read_file(file.getvalue()).column("custom:value") == [shown]


STRAY = {
    "one byte of Windows-1252": ("Café", "cp1252"),
    "two letters of Windows-1252": ("Größe", "cp1252"),
    "a currency sign": ("5 €", "cp1252"),
}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", STRAY)
def test_a_stray_byte_changes_its_own_cell_only(name: str, delimiter: str) -> None:
    text, encoding = STRAY[name]
    good = csv_of([HEADER, *([f"l{n}@acme.com", "Jürgen", "Łódź 東京"] for n in range(5))], delimiter=delimiter)
    data = good + delimiter.join(["x@acme.com", "Zoë", ""]).encode() + text.encode(encoding) + b"\n"

    found = read_file(data)

    assert found.analysis.format.encoding == "utf-8"
    assert found.column("first_name") == [*["Jürgen"] * 5, "Zoë"]
    assert found.column("company") == [*["Łódź 東京"] * 5, text]
    assert "invalid_bytes" in found.notices


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Jürgen Größe"),
        ("cp1251", "Иван Петров из Москвы, Россия"),
        ("cp1253", "Γιώργος Παπαδόπουλος από την Αθήνα"),
        ("shift_jis", "山田太郎さんは東京に住んでいます"),
        ("euc-kr", "김철수는 서울에서 일하고 있습니다"),
        ("gb18030", "王小明在北京的一家公司工作"),
    ],
)
def test_other_encodings_are_not_taken_for_utf8(encoding: str, text: str) -> None:
    data = csv_of([["email", "note"], *([f"l{n}@acme.com", text] for n in range(20))], encoding=encoding)

    found = read_file(data)

    assert found.analysis.format.encoding != "utf-8"
    assert found.column("custom:note")[0] == text
    assert "guessed_encoding" in found.notices


ROW = "{n}@acme.com{d}Acme {n}{d}note {n}\n"


def quoted(delimiter: str, opens: int, *, closes: str = "", rows: int = 8) -> bytes:
    """A table in which a quotation mark opens in a row. `closes`: what another cell further down begins with."""
    lines = [ROW.format(n=number, d=delimiter) for number in range(rows)]
    lines[opens] = f'{opens}@acme.com{delimiter}Acme{delimiter}"wants a call\n'
    if closes:
        lines[opens + 3] = f"{opens + 3}@acme.com{delimiter}Acme{delimiter}{closes}\n"
    return (f"email{delimiter}company{delimiter}note\n" + "".join(lines)).encode()


@pytest.mark.parametrize("closes", ["", '"yes"', 'he said "yes"', 'the end"', '5" screen'])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_quotation_mark_that_is_not_closed_is_refused_with_its_line(delimiter: str, closes: str) -> None:
    with pytest.raises(UnreadableFile, match=re.escape("opens in line 4 ")):
        read_file(quoted(delimiter, 2, closes=closes))


def test_a_quotation_mark_far_down_is_refused_with_its_line() -> None:
    data = quoted(",", 400, closes='"yes"', rows=600)

    with pytest.raises(UnreadableFile, match=re.escape("opens in line 402 ")):
        read_file(data)


def test_notes_of_several_lines_and_inches_are_no_open_quotation_marks() -> None:
    rows = [
        ["email", "note", "size"],
        ["ada@acme.com", "first line\nsecond, with comma\nmail to: x@acme.com", '15" screen'],
        ["bob@acme.com", 'He said "hi"\n\nand left', 'a "quoted" word'],
    ]

    found = read_file(csv_of(rows))

    assert found.column("custom:note") == [rows[1][1], rows[2][1]]
    assert read_file(b'email,size\nada@acme.com,15" screen\n').column("custom:size") == ['15" screen']


@pytest.mark.parametrize("kind", ["early", "late"])
@pytest.mark.parametrize(("delimiter", "cell"), [(",", "Kok, Sons"), (";", "a; b"), ("\t", "x\ty")])
def test_a_row_wider_than_the_header_is_rejected_wherever_it_is(kind: str, delimiter: str, cell: str) -> None:
    plain = [delimiter.join([f"l{n}@acme.com", "Acme", "Bonn"]) for n in range(300)]
    at = 1 if kind == "early" else 260
    plain[at] = delimiter.join(["l@acme.com", cell, "Bonn"])

    found = read_file("\n".join([delimiter.join(["email", "company", "city"]), *plain]).encode())

    assert found.targets == ["email", "company", "custom:city"]
    assert found.rejected == {at + 2: {" too_many_cells"}}
    assert len(found.leads) == 299


def test_cells_beside_the_table_of_a_workbook_shift_nothing() -> None:
    rows = [HEADER, *ROWS, *([f"l{n}@acme.com", "L", "Acme"] for n in range(300)), ["z@acme.com", "Z", "Acme", "", "!"]]

    found = read_file(book(People=rows))

    assert not found.rejected
    assert found.left_out == {304: {" extra_cells"}}


@pytest.mark.parametrize("blank", [" ,,", "\u00a0,\u00a0,\u00a0", ",,", "", "\u200b,\ufeff, ", "\t,\u3000,"])
def test_a_row_of_blanks_is_empty(blank: str) -> None:
    found = read_file(f"email,first name,company\nada@acme.com,Ada,Acme\n{blank}\nbob@acme.com,Bob,B\n".encode())

    assert len(found.leads) == 2
    assert not found.rejected


def test_columns_keep_their_names() -> None:
    header = ["Email", "Notes", "Notes", "Notes 2", "Город", "会社の住所", "", "Segment"]
    row = ["ada@acme.com", "one", "two", "three", "Минск", "東京", "x", ""]

    found = read_file(csv_of([header, row]))

    assert found.targets == [
        "email", "custom:notes", "custom:notes_2", "custom:notes_2_2", "custom:gorod", "custom:huishenozhusuo",
        "ignore", "custom:segment",
    ]  # fmt: skip
    assert {"repeated_headers", "columns_left_out", "empty_columns"} <= found.notices
    assert found.filled == ["gorod", "huishenozhusuo", "notes", "notes_2", "notes_2_2"]
