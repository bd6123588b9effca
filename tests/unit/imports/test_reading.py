"""Files as people have them are read as their owners meant them; hostile ones are refused in bounded memory."""

import csv
import hashlib
import io
import json
import resource
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from leadflood.domains.imports.adapters import csv_format, workbook
from leadflood.domains.imports.errors import UnreadableFile
from leadflood.domains.imports.models.format import Delimiter, KnownFile, guard_of
from leadflood.domains.imports.models.header_row import leads_in
from leadflood.domains.imports.service.parsing import analyse
from leadflood.kernel.formulas import neutralise, restore
from tests.support.samples import SAMPLES, rows


def read(data: bytes) -> list[list[str]]:
    """All cells, with encoding and delimiter found out."""
    found = analyse(io.BytesIO(data), KnownFile(len(data), utf8=is_utf8(data))).format
    records = csv_format.read(io.BytesIO(data), encoding=found.encoding, delimiter=found.delimiter)
    return [record.cells for record in records]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.samples
def test_the_samples_are_read_as_their_readme_says() -> None:
    expected, found = {}, {}
    for sample in rows("csv/files.jsonl"):
        cells = read((SAMPLES / sample["input"]).read_bytes())
        digest = hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()
        expected[sample["id"]] = sample["expected"]["n_rows"], sample["expected"]["rows_sha256"]
        found[sample["id"]] = len(cells), digest

    assert found == expected


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "cp1252"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encoding_delimiter_and_line_breaks_are_found_out(encoding: str, delimiter: str, newline: str) -> None:
    rows = [["E-Mail", "Name", "Firma"], ["jörg@acme.de", "Jörg Müller", 'A, B; C "D"'], ["é@acme.de", "Zoë", ""]]
    lines = [delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows]

    assert read((newline.join(lines) + newline).encode(encoding)) == rows


def test_other_scripts_are_told_by_enough_text() -> None:
    text = "Имя,Компания\nИван Петров,Ромашка\nОльга Иванова,Завод\n"

    assert read(text.encode("cp1251"))[1] == ["Иван Петров", "Ромашка"]


def test_a_character_cut_off_at_the_end_of_the_look_is_no_fault() -> None:
    data = ("name\n" + "éé\n" * 400_000).encode()
    assert not is_utf8(data[: 1024 * 1024])

    assert analyse(io.BytesIO(data[: 1024 * 1024]), KnownFile(len(data))).format.encoding == "utf-8"


def test_nul_characters_are_left_out_and_blank_lines_are_counted() -> None:
    records = list(csv_format.read(io.BytesIO(b"a,b\n\n1\0,2\n"), encoding="utf-8", delimiter=Delimiter.COMMA))

    assert [(record.number, record.cells) for record in records] == [(1, ["a", "b"]), (3, ["1", "2"])]


HOSTILE = {
    "a million columns": (b"", b",", 1_000_000, "columns|characters"),
    "a thousand and one columns": (b"email", b",x", 1000, "at most 1,000"),
    "a cell of 100 MB": (b'email\n"', b"x" * 100_000, 1000, "characters"),
    "a quote that never ends": (b'email\n"', b"x\n", 500_000, "quotation mark"),
    "NULs": (b"", b"\0" * 1000, 5000, "isn't a text file"),
    "a program": (b"\x7fELF" + bytes(range(256)) * 20, b"\0", 50_000, "isn't a text file"),
    "nothing but line breaks": (b"", b"\n", 1000, "no rows"),
    "no workbook": (b"PK\x03\x04", b"x", 1000, "isn't an Excel workbook"),
}
"""Start of a file, and the part that it repeats, with the number: on disk, as a test process must stay small."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_words_and_bounded_memory(name: str) -> None:
    beginning, repeated, times, remedy = HOSTILE[name]
    with tempfile.TemporaryFile() as file:
        file.write(beginning)
        file.writelines(repeat(repeated, times))
        size = file.tell()
        file.seek(0)
        with bounded_memory(64), pytest.raises(UnreadableFile, match=remedy):
            for _ in consume(file, size):
                pass


@contextmanager
def bounded_memory(megabytes: int) -> Iterator[None]:
    """Limit of memory inside the block, as the sandbox sets it: more ends with MemoryError."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + megabytes * 1024 * 1024, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


def consume(file: BinaryIO, size: int) -> Iterator[None]:
    """Look at a file, then read it all."""
    found = analyse(file, KnownFile(size)).format
    file.seek(0)
    for _ in csv_format.read(file, encoding=found.encoding, delimiter=found.delimiter):
        yield


def book_of(*rows: list[Any]) -> io.BytesIO:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.create_sheet("More").append(["email"])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def test_a_workbook_is_read_as_it_shows() -> None:
    file = book_of(
        ["email", "seats", "since", "at", "paid", "share"],
        ["ada@acme.com", 12, date(2026, 3, 1), datetime(2026, 3, 1, 9, 30), True, 0.5],  # noqa: DTZ001  as in a sheet
        [],
        ["bob@acme.com", 12.0, None, None, False, "#N/A"],
    )

    assert workbook.find_sheet(file, rows=10, rank=leads_in).names == ["Sheet", "More"]
    file.seek(0)
    records = list(workbook.read(file, sheet="Sheet"))
    assert [(record.number, record.cells) for record in records[1:]] == [
        (2, ["ada@acme.com", "12", "2026-03-01", "2026-03-01T09:30:00", "true", "0.5"]),
        (4, ["bob@acme.com", "12", "", "", "false"]),
    ]


SHEET = "xl/worksheets/sheet1.xml"
NOISE = Random(1).randbytes(50_000).hex().encode()  # noqa: S311  text that does not pack well
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_ENTITIES = b"".join(b'<!ENTITY l%d "%s">' % (n + 1, b"&l%d;" % n * 10) for n in range(9))
LAUGHS = b'<!DOCTYPE x [<!ENTITY l0 "ha">' + _ENTITIES + b"]>"
TEXTS_ELSEWHERE = (
    b'<Override PartName="/xl/other.xml" ContentType='
    b'"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)


def sheet(*rows: bytes, before: bytes = b"") -> dict[str, Iterable[bytes]]:
    return {SHEET: [before + b"<worksheet " + MAIN + b"><sheetData>", *rows, b"</sheetData></worksheet>"]}


def in_utf16(parts: Mapping[str, Iterable[bytes]]) -> dict[str, Iterable[bytes]]:
    return {name: [b"".join(pieces).decode().encode("utf-16")] for name, pieces in parts.items()}


def inline(text: bytes) -> bytes:
    return b'<row><c t="inlineStr"><is><t>' + text + b"</t></is></c></row>"


def long_cell(times: int) -> Iterable[bytes]:
    return [b'<row><c t="inlineStr"><is><t>', *repeat(NOISE, times), b"</t></is></c></row>"]


def altered(
    parts: Mapping[str, bytes | Iterable[bytes]], *, types: bytes = b"", size: int | None = None, level: int = 1
) -> BinaryIO:
    """A sound workbook with other parts. `size`: what the list of parts says of its sheet's bytes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever asks for it reads it
    with (
        zipfile.ZipFile(book_of(["email"], ["ada@acme.com"])) as sound,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as packed,
    ):
        for name in dict.fromkeys([*sound.namelist(), *parts]):
            content = parts[name] if name in parts else sound.read(name)
            if name == "[Content_Types].xml" and isinstance(content, bytes):
                content = content.replace(b"</Types>", types + b"</Types>")
            with packed.open(name, "w") as part:
                part.writelines([content] if isinstance(content, bytes) else content)
        if size is not None:
            packed.getinfo(SHEET).file_size = size
    file.seek(0)
    return file


DECLARES = "document type declaration"
BOMB, ROW = "unpack to far more", "a row, or something else in a sheet, of more than 8 MB"
HOSTILE_BOOKS: dict[str, tuple[Callable[[], BinaryIO], str]] = {
    "300 MB of one character": (lambda: altered({SHEET: repeat(b"0" * 1_000_000, 300)}, level=6), BOMB),
    "4 GB declared": (lambda: altered({}, size=0xFFFFFFFE), BOMB),
    "less declared than there is": (lambda: altered({}, size=20), "damaged|cannot be read"),
    "thirty thousand parts": (lambda: altered({f"xl/media/{n}": b"" for n in range(30_000)}), BOMB),
    "three thousand parts": (lambda: altered({f"xl/{n}": b"" for n in range(3_000)}), BOMB),
    "a million columns": (lambda: altered(sheet(b"<row>" + b"<c/>" * 1_000_000 + b"</row>")), ROW),
    "two thousand columns": (lambda: altered(sheet(b"<row>" + b"<c><v>1</v></c>" * 2000 + b"</row>")), "at most 1,000"),
    "a cell of 100 MB": (lambda: altered(sheet(*long_cell(1000))), ROW),
    "a cell of 1 MB": (lambda: altered(sheet(*long_cell(10))), "a cell of more than"),
    "a row far down": (lambda: altered(sheet(b'<row r="1000000000000"><c><v>1</v></c></row>')), "more than 1,048,576"),
    "one row number again and again": (lambda: altered(sheet(b'<row r="1"><c/></row>' * 200_000)), ROW),
    "columns without rows": (lambda: altered(sheet(b"</sheetData><cols>" + b"<col/>" * 500_000 + b"</cols>")), "."),
    "endless styles": (lambda: altered({"xl/styles.xml": b"<styleSheet>" + b"<xf/>" * 400_000}), "styles or"),
    "endless types": (lambda: altered({}, types=b"<Default/>" * 400_000), "styles or properties"),
    "texts under another name": (
        lambda: altered(
            {"xl/other.xml": [b"<sst " + MAIN + b">", *repeat(b"<si><t>" + NOISE + b"</t></si>", 700), b"</sst>"]},
            types=TEXTS_ELSEWHERE,
        ),
        "64 MB of different texts",
    ),
    "a billion laughs": (lambda: altered(sheet(inline(b"&l9;"), before=LAUGHS)), DECLARES),
    "a billion laughs far down": (lambda: altered(sheet(inline(b"&l9;"), before=b" " * 65_530 + LAUGHS)), DECLARES),
    "a billion laughs in UTF-16": (lambda: altered(in_utf16(sheet(inline(b"&l9;"), before=LAUGHS))), DECLARES),
    "a billion laughs in the texts": (
        lambda: altered({"xl/other.xml": LAUGHS + b"<sst>&l9;</sst>"}, types=TEXTS_ELSEWHERE),
        DECLARES,
    ),
}


@pytest.mark.parametrize("name", HOSTILE_BOOKS)
def test_a_hostile_workbook_is_refused_in_words_and_bounded_memory(name: str) -> None:
    build, remedy = HOSTILE_BOOKS[name]
    with build() as file, bounded_memory(256), pytest.raises(UnreadableFile, match=remedy):
        consume_book(file)


def consume_book(file: BinaryIO) -> None:
    """Look at a workbook, then read its first sheet."""
    workbook.find_sheet(file, rows=10, rank=leads_in)
    file.seek(0)
    for _ in workbook.read(file, sheet=None):
        pass


def test_a_sheet_that_does_not_say_how_large_it_is_is_read() -> None:
    with altered(sheet(inline(b"email"), inline(b"ada@acme.com") * 3)) as file:
        records = list(workbook.read(file, sheet=None))

    assert [record.cells for record in records] == [["email"], *[["ada@acme.com"]] * 3]


FORMULAS = [
    "=2+5+cmd|' /C calc'!A0", "=cmd|'/c x'!A*cmd|'/c x'!A", 'DDE ("cmd";"/C calc";"!A0")A0', ";=1+1",
    "\uff20SUM(1,1)", "@acme", "@SUM(A1)", "=HYPERLINK(A1)", "\r=1", "\n=1", "\t=1", "\uff1d1", " =1",
    "+44 20", "'=1", "''=1", "-", "x;=1+1;", "x;'=1+1", "x; =1", "x\t=1", "x\r=1", "x\r\n=1", "x\n- one", ";;@A1",
    'x;"=1+1"', 'x;""=1', "a,=1;b,=2", "\t\t=1", "+;=1", "x;+491701234567", "'\n'=1",
]  # fmt: skip
_FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_runs_as_a_formula_and_importing_reads_it_back(text: str) -> None:
    assert_inert(text)


@pytest.mark.samples
def test_no_formula_of_the_samples_runs() -> None:
    for sample in rows("csv/formula_injection.jsonl"):
        assert_inert(sample["input"])


def assert_inert(text: str) -> None:
    for delimiter in Delimiter:
        guard = guard_of(delimiter)
        assert guard.restore(guard.neutralise(text)) == text
        for opened_as in (delimiter, ",", ";", "\t"):
            for cell in cells_of(guard.neutralise(text), delimiter, opened_as):
                assert not cell.lstrip(" \t").startswith(_FORMULA_SIGNS), (cell, delimiter, opened_as)


def cells_of(cell: str, delimiter: str, opened_as: str) -> list[str]:
    """The cells in a line of a file, as a spreadsheet with another separator opens it."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerow(["ada@acme.com", cell, "end"])
    return [
        found for line in csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=opened_as) for found in line
    ]


@pytest.mark.parametrize("phone", ["+491701234567", "+12015556773 ext. 312", "+12015556773;ext=312"])
def test_a_phone_number_needs_no_apostrophe(phone: str) -> None:
    assert neutralise(phone) == phone
    assert restore(f"'{phone}") == phone


@pytest.mark.parametrize("text", ["+1+1", "+49 170 1234567", "+491701234567;=1", "+491701234567\n=1", "+0"])
def test_what_only_looks_like_a_phone_number_needs_one(text: str) -> None:
    assert neutralise(text) != text


@given(st.text())
def test_every_text_comes_back(text: str) -> None:
    for delimiter in (None, *Delimiter):
        guard = guard_of(delimiter)
        assert guard.restore(guard.neutralise(text)) == text


@given(st.text(alphabet="a'\" ;,\t\r\n=+@-"))
def test_no_mixture_of_signs_runs(text: str) -> None:
    assert_inert(text)
