"""`leadflood enrich` as a process: no database, no server, and the small internet outside."""

import csv
import io
import json
import subprocess
from pathlib import Path

from tests.support.launcher import run
from tests.support.processes import environment

ENV = environment(database_url="postgresql://nobody@127.0.0.1:1/none")
"""A database that is away: the command must not ask for one."""


def enrich(folder: Path, *argv: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    more = {f"LEADFLOOD_{name.upper()}": value for name, value in settings.items()}
    return run(["enrich", *argv], {**ENV, "LEADFLOOD_HOME": str(folder / "home"), **more}, folder)


def test_a_person_is_shown_with_a_receipt_for_every_value(tmp_path: Path) -> None:
    done = enrich(tmp_path, "ada.lovelace@gmail.com", "--demo-internet")

    assert done.returncode == 0, done.stderr
    assert "ada.lovelace@gmail.com: Found 6 values." in done.stdout
    (first_name,) = [line.split() for line in done.stdout.splitlines() if line.startswith("First name")]
    assert first_name[2:] == ["Ada", "0.90", "email_insight", "Matches", "the", "pattern", "first.last."]
    assert not (tmp_path / "home").exists()


def test_a_file_is_enriched_into_another_with_one_row_per_target(tmp_path: Path) -> None:
    (tmp_path / "people.txt").write_text("ada.lovelace@gmail.com\nADA.lovelace@gmail.com\n=cmd|' /C calc'!A0\n\n")
    out = tmp_path / "people.csv"
    out.with_name("people.csv.part").touch()

    done = enrich(tmp_path, "--file", "people.txt", "--out", "people.csv", "--demo-internet")

    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert [row["status"] for row in rows] == ["completed", "invalid"]
    assert rows[0]["person_last_name"] == "Lovelace"
    assert rows[1]["input"].startswith("'=cmd")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["people.csv", "people.txt"]

    again = enrich(tmp_path, "--file", "people.txt", "--out", "people.csv", "--demo-internet")
    assert (again.returncode, "people.csv exists" in again.stderr) == (1, True)
    replaced = enrich(tmp_path, "--file", "people.txt", "--out", "people.csv", "--demo-internet", "--overwrite")
    assert replaced.returncode == 0


def test_programs_read_one_object_per_target_in_the_order_of_the_input(tmp_path: Path) -> None:
    targets = ["b@gmail.com", "not a domain", "a@gmail.com"]

    done = enrich(tmp_path, *targets, "--json", "--demo-internet")

    assert done.returncode == 0
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["input"] for record in records] == targets
    assert [record["status"] for record in records] == ["completed", "invalid", "completed"]


def test_nothing_found_and_unusable_options_are_no_success(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("acme.com\n")
    for argv, says in (
        (["co.uk", "--demo-internet"], "suffix"),
        ([], "Name a domain"),
        (["--file", "a.txt"], "--out"),
        (["a.com", "--out", "a.xlsx"], ".parquet"),
        (["a.com", "--contact", "me"], "--contact"),
        (["a.com", "--file", "missing.txt"], "missing.txt"),
    ):
        done = enrich(tmp_path, *argv)
        assert done.returncode in {1, 2}, argv
        assert says in done.stdout + done.stderr, (argv, done.stderr)
        assert "Traceback" not in done.stderr


def test_production_refuses_the_small_internet(tmp_path: Path) -> None:
    done = enrich(tmp_path, "acme.com", "--demo-internet", env="production")

    assert (done.returncode, "LEADFLOOD_ENV=production" in done.stderr) == (1, True)
