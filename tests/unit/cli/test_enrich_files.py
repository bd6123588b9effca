"""Files of `leadflood enrich`: its input, the working file, and the output."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from arro3.io import read_parquet

from leadflood.cli.enrich_files import UnusableEnrichFile, lines_in, open_working_file, working_path
from leadflood.cli.enrich_formats import FORMATS, write_output
from leadflood.cli.enrich_records import JsonObject, invalid_record, profile_record
from tests.support.enriched import PAGE, acme, away

RECORDS = [
    profile_record("ada@acme.com", acme()),
    profile_record("b.com", away()),
    invalid_record("-", "Enter a valid URL, e.g. acme.com."),
]


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.txt", "\ufeffa.com\n\n# x\n  ada@b.com  \r\nc.com/x\n🚀.la\n", ["a.com", "ada@b.com", "c.com/x", "🚀.la"]),
        ("a.txt", "", []),
        ("a.csv", "name,Domain\nAcme,acme.com\nB,\nC, c.com \nshort\n", ["acme.com", "c.com"]),
        ("a.csv", "name;E-Mail;domain\nAcme;ada@acme.com;acme.com\n", ["acme.com"]),
        ("a.csv", 'name\thome\n"A, B\nC"\tacme.com\n', ["acme.com"]),
        ("a.csv", "acme.com\nb.com\n", ["acme.com", "b.com"]),
        ("a.csv", "acme.com\n", ["acme.com"]),
        ("a.tsv", "Acme\tacme.com\nB\tb.com\n", ["acme.com", "b.com"]),
    ],
)  # fmt: skip
def test_domains_and_addresses_are_found_in_a_file(tmp_path: Path, name: str, text: str, lines: list[str]) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8", newline="")

    assert lines_in(file, None) == lines


def test_a_column_can_be_named_and_a_file_without_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name,Firma\nAcme,acme.com\n")
    assert lines_in(file, "firma") == ["acme.com"]
    with pytest.raises(UnusableEnrichFile, match=r"no column 'x'. Columns: name, Firma"):
        lines_in(file, "x")

    file.write_text("name,size\nAcme,7\n")
    with pytest.raises(UnusableEnrichFile, match=r"--column"):
        lines_in(file, None)
    file.write_bytes(b"domain\n\xff\xfe\x00.com\n")
    assert len(lines_in(file, None)) == 1


def test_an_interrupted_run_continues_after_its_last_whole_line(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with open_working_file(out) as working:
        working.add("a", RECORDS[0])
        working.add("🚀", RECORDS[0])
    with working_path(out).open("ab") as file:
        file.write(b'{"key": "torn", "rec')

    with open_working_file(out) as working:
        assert [key in working for key in ("a", "🚀", "torn", "c")] == [True, True, False, False]
        working.add("c", RECORDS[2])
    with open_working_file(out) as working:
        assert [record["input"] for record in working.records(["c", "x", "a"])] == ["-", "ada@acme.com"]


def test_what_failed_is_asked_again_when_a_run_continues(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with open_working_file(out) as working:
        working.add("b.com", RECORDS[1])
        assert "b.com" in working
    with open_working_file(out) as working:
        assert "b.com" not in working
        working.add("b.com", RECORDS[0])
        assert [record["status"] for record in working.records(["b.com"])] == ["completed"]


def test_a_working_file_is_of_one_command_and_of_this_program(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with open_working_file(out), pytest.raises(UnusableEnrichFile, match="Another command"), open_working_file(out):
        pass
    for text in ("[]\n", "{}\n", "hello\n", '{"leadflood": "enrich", "format": 2}\n'):
        working_path(out).write_text(text)
        with pytest.raises(UnusableEnrichFile, match="another program"), open_working_file(out):
            pass
        assert working_path(out).read_text() == text


def test_csv_has_a_row_per_target_and_no_formula(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    write_output(out, iter(RECORDS))

    first, second, third = csv.DictReader(io.StringIO(out.read_text("utf-8"), newline=""))
    assert (first["input"], first["domain"], first["email"]) == ("ada@acme.com", "acme.com", "ada@acme.com")
    assert first["name"] == '\'=HYPERLINK("http://evil.example")'
    assert first["phone"].lstrip("'") == "+442079460958"
    assert (first["employees"], first["person_first_name"], first["person_is_free_mail"]) == ("120", "Ada 🚀", "false")
    assert first["technology"] == "nginx; React Native"
    receipt = json.loads(first["receipts"])["company"]["employees"]
    assert (receipt["sourceUrl"], receipt["quote"], receipt["source"]) == (PAGE, "120", "website")
    assert (second["status"], second["message"]) == ("failed", "b.com did not answer.")
    assert (third["status"], third["domain"]) == ("invalid", "")


def test_parquet_has_numbers_booleans_and_lists(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    write_output(out, iter(RECORDS))

    table = read_parquet(out).read_all()
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    assert columns["employees"] == [120, None, None]
    assert columns["person_is_free_mail"] == [False, None, None]
    assert columns["technology"] == [["nginx", "React Native"], [], []]
    assert columns["name"][0] == '=HYPERLINK("http://evil.example")'
    assert json.loads(columns["receipts"][0])["company"]["name"]["others"][0]["value"] == "Acme"


def test_json_lines_have_every_value_with_its_receipt_and_the_others(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    write_output(out, iter(RECORDS))

    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert records == RECORDS
    name = records[0]["company"]["name"]
    assert (name["because"], name["agreeing"], name["observedAt"]) == ("surest", ["website"], "2026-11-30T12:00:00Z")
    assert records[1]["steps"][0]["until"] == "2026-11-30T13:00:00Z"


@pytest.mark.parametrize("ending", FORMATS)
def test_an_output_that_fails_leaves_the_former_file(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    out.write_text("before")

    def failing() -> Iterator[JsonObject]:
        yield RECORDS[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(Exception, match="No space left"):
        write_output(out, failing())
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    assert out.read_text() == "before"


@pytest.mark.parametrize("ending", FORMATS)
def test_an_output_without_records_is_a_whole_file(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    write_output(out, iter(()))

    assert out.exists()
