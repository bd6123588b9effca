"""`leadflood export run`: into a file that is whole or not there, and into a pipe."""

import csv
import json

from openpyxl import load_workbook

from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead


async def test_leads_are_written_into_a_file_that_appears_when_it_is_whole(
    terminal: Terminal, database: Database
) -> None:
    for email in ("ada@acme.com", "grace@acme.com"):
        await make_lead(database, terminal.workspace_id, email, firstName="=1+1", source="form")
    await make_lead(database, terminal.workspace_id, "jean@acme.fr", source="api")

    done = terminal.here("export", "run", "leads.csv", "--columns", "email,firstName,owner", "--source", "form")

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "Exported 2 leads to leads.csv." in done.stderr
    with (terminal.folder / "leads.csv").open(newline="") as written:
        rows = list(csv.reader(written))
    assert rows == [
        ["Email", "First name", "Owner"],
        ["grace@acme.com", "'=1+1", ""],
        ["ada@acme.com", "'=1+1", ""],
    ]
    assert [item.name for item in terminal.folder.iterdir() if item.name.startswith("leads")] == ["leads.csv"]


async def test_the_format_comes_from_the_name_and_a_dash_is_standard_output(
    terminal: Terminal, database: Database
) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")

    assert terminal.here("export", "run", "leads.parquet").returncode == 0
    piped = terminal.here("export", "run", "-", "--format", "ndjson")

    assert (terminal.folder / "leads.parquet").read_bytes()[:4] == b"PAR1"
    assert (piped.returncode, piped.stderr) == (0, "")
    assert [json.loads(line)["email"] for line in piped.stdout.splitlines()] == ["ada@acme.com"]


def test_a_wish_that_cannot_be_met_leaves_no_file_and_the_old_one_as_it_was(terminal: Terminal) -> None:
    old = terminal.folder / "leads.csv"
    old.write_text("what was here")

    done = terminal.here(
        "export", "run", "leads.csv", "--columns", "email,nothing", "--status", "gone", "--created-from", "x"
    )

    assert done.returncode == 1
    assert [line.split()[0] for line in done.stderr.splitlines()[1:]] == [
        "/columns/1",
        "/filter/status/0",
        "/filter/createdFrom",
    ]
    assert old.read_text() == "what was here"
    assert not (terminal.folder / "leads.csv.part").exists()


async def test_selected_leads_are_named_by_email_or_id_and_headers_by_a_switch(
    terminal: Terminal, database: Database
) -> None:
    made = [await make_lead(database, terminal.workspace_id, f"{name}@acme.com") for name in ("ada", "grace", "jean")]
    command = ("export", "run", "-", "--columns", "email,firstName", "--headers", "names")

    done = terminal.here(*command, "--lead", "Ada@Acme.com", "--lead", str(made[2][0]))
    unknown = terminal.here(*command, "--lead", "ada@acme.com", "--lead", "nobody@acme.com", "--lead", str(new_id()))
    both = terminal.here(*command, "--lead", "ada@acme.com", "--status", "new")

    assert done.stdout == "email,firstName\njean@acme.com,\nada@acme.com,\n", done.stderr
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "No lead nobody@acme.com." in unknown.stderr
    assert "ada@" not in unknown.stderr
    assert (both.returncode, "not both" in both.stderr) == (1, True)


async def test_a_workbook_is_written_by_its_name(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")

    assert terminal.here("export", "run", "leads.xlsx", "--columns", "email").returncode == 0

    (sheet,) = load_workbook(terminal.folder / "leads.xlsx").worksheets
    assert [[cell.value for cell in row] for row in sheet] == [["Email"], ["ada@acme.com"]]
