"""`leadflood enrich` as a process: no database, no server, and the small internet outside."""

import csv
import io
import json
import subprocess
from pathlib import Path

from leadflood.demo.internet.world import companies
from tests.support.launcher import run
from tests.support.processes import Running, environment, until

ENV = environment(database_url="postgresql://nobody@127.0.0.1:1/none")
"""A database that is away: the command must not ask for one."""


def enrich(folder: Path, *argv: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    more = {f"LEADFLOOD_{name.upper()}": value for name, value in settings.items()}
    return run(["enrich", *argv], {**ENV, "LEADFLOOD_HOME": str(folder / "home"), **more}, folder)


def test_a_person_is_shown_with_a_receipt_for_every_value(tmp_path: Path) -> None:
    done = enrich(tmp_path, "ada.lovelace@gmail.com", "--demo-internet")

    assert done.returncode == 0, done.stderr
    assert "ada.lovelace@gmail.com: Found " in done.stdout
    (first_name,) = [" ".join(line.split()) for line in done.stdout.splitlines() if line.startswith("First name")]
    assert first_name == "First name Ada 0.90 email_insight The address reads like a first and a last name."
    assert not (tmp_path / "home").exists()


def test_a_company_is_read_with_quotes_and_pages(tmp_path: Path) -> None:
    one = companies()[0]

    done = enrich(tmp_path, f"https://www.{one.domain}/about", "--json", "--demo-internet")

    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    found = record["company"]
    assert (record["status"], record["domain"]) == ("completed", one.domain)
    assert (found["name"]["value"], found["country"]["value"]) == (one.name, one.country)
    assert {"website", "gleif"} <= {*found["legal_name"]["agreeing"]}
    vat = found["vat_id"]
    assert vat["quote"]
    assert vat["sourceUrl"] == f"https://{one.domain}/imprint"
    assert {step["source"]: step["state"] for step in record["steps"]}["dns"] == "found"


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


def test_a_killed_run_continues_and_asks_nothing_again(tmp_path: Path) -> None:
    people = [f"ada{number}@gmail.com" for number in range(400)]
    (tmp_path / "people.txt").write_text("\n".join(people))
    part = tmp_path / "people.jsonl.part"
    argv = ["enrich", "--file", "people.txt", "--out", "people.jsonl", "--demo-internet", "--concurrency", "2"]
    running = Running(argv, {**ENV, "LEADFLOOD_HOME": str(tmp_path / "home")}, tmp_path)
    until(lambda: part.exists() and part.read_bytes().count(b"\n") > 20)
    running.kill()
    running.clean_up()
    before = part.read_bytes()
    assert before.count(b"\n") < len(people)
    assert not (tmp_path / "people.jsonl").exists()

    done = enrich(tmp_path, *argv[1:])

    assert done.returncode == 0, done.stderr
    assert "Continuing: " in done.stderr
    assert not part.exists()
    written = (tmp_path / "people.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["input"] for line in written] == people
    kept = [json.loads(line)["record"] for line in before.splitlines(keepends=True)[1:] if line.endswith(b"\n")]
    assert {json.dumps(record) for record in kept} <= {json.dumps(json.loads(line)) for line in written}
