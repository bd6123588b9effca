"""`leadflood import …`: preview, commit and undo, as a person at a terminal or a script uses them."""

import json
from pathlib import Path

import pytest

from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.support.processes import Running
from tests.support.trail import events_of, row


@pytest.fixture
def file(terminal: Terminal) -> Path:
    """A file with a new lead, one with a fault, and a formula."""
    path = terminal.folder / "leads.csv"
    path.write_text('E-Mail,Name,Tarif\nada@acme.com,"Lovelace, Ada",=1+1\nnobody,Bob,\n', encoding="utf-8")
    return path


async def test_a_file_is_shown_imported_and_taken_back(
    terminal: Terminal, worker: Running, file: Path, database: Database
) -> None:
    rejected = terminal.folder / "rejected.csv"

    dry = terminal.here("import", "preview", str(file), "--map", "tarif=custom:plan", "--rejected", str(rejected))
    assert dry.returncode == 0, dry.stderr
    assert "custom:plan" in dry.stdout
    assert "/email invalid_format" in dry.stdout
    assert "No changes made. Commit with: leadflood import commit " in dry.stderr
    assert rejected.read_text(encoding="utf-8-sig").splitlines()[1].startswith("nobody,Bob,,")
    assert terminal.here("lead", "list", "--json").stdout == ""

    done = terminal.here("import", "run", str(file), "--no-enrich", "--source", "fair", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    previewed, committed = [json.loads(line) for line in done.stdout.splitlines()]
    assert (previewed["status"], committed["status"]) == ("previewed", "committed")
    assert (committed["counts"]["create"], committed["counts"]["reject"]) == (1, 1)
    (lead,) = [json.loads(line) for line in terminal.here("lead", "list", "--json").stdout.splitlines()]
    assert (lead["firstName"], lead["lastName"], lead["source"]) == ("Ada", "Lovelace", "fair")
    assert lead["customFields"] == {"plan": "=1+1"}  # mapped as the time before

    undone = terminal.here("import", "undo", committed["id"])
    assert undone.returncode == 0, undone.stderr
    assert "undone" in undone.stdout
    assert terminal.here("lead", "list", "--json").stdout == ""
    events = [item for item in await events_of(database, terminal.workspace_id) if item.subject_type == "import"]
    written = '{"changesetId": "*", "count": 1, "importId": "*", "name": "leads.csv"}'
    assert [row(event) for event in events if str(event.subject_id) == committed["id"]][-3:] == [
        ("import.committed", "import *", written),
        ("import.finished", "import *", written),
        ("import.undone", "import *", '{"count": 1, "name": "leads.csv"}'),
    ]
    assert {event.actor.kind for event in events} == {"cli"}


def test_a_previewed_import_is_committed_listed_and_shown(terminal: Terminal, worker: Running, file: Path) -> None:
    with file.open("a", encoding="utf-8") as more:
        more.write('augusta.king@gmail.com,"King, Augusta",\naugustaking@gmail.com,"King, Augusta",\n')
    previewed = json.loads(terminal.here("import", "preview", str(file), "--json").stdout)
    assert previewed["status"] == "previewed"

    committed = json.loads(terminal.here("import", "commit", previewed["id"], "--json").stdout)
    assert (committed["id"], committed["status"]) == (previewed["id"], "committed")
    (listed,) = [json.loads(line) for line in terminal.here("import", "list", "--json").stdout.splitlines()]
    assert (listed["id"], listed["counts"]) == (committed["id"], committed["counts"])
    header, row = terminal.here("import", "list").stdout.splitlines()
    assert header.split()[:4] == ["id", "file", "status", "create"]
    assert row.split()[:4] == [committed["id"], "leads.csv", "committed", "3"]
    told = terminal.here("import", "show", committed["id"])
    shown = told.stdout
    assert "rows 4 and 5 (augusta.king@gmail.com, augustaking@gmail.com)" in told.stderr
    assert "committed" in shown
    assert "/email invalid_format" in shown


def test_nothing_is_written_without_a_yes(terminal: Terminal, worker: Running, file: Path) -> None:
    done = terminal.here("import", "run", str(file))

    assert done.returncode == 1
    assert "No changes made" in done.stderr
    assert terminal.here("lead", "list", "--json").stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["run"], 2, "Missing argument"),
        (["preview", "nowhere.csv"], 2, "No such file"),
        (["run", "leads.csv", "--map", "Nonsense=email"], 2, "Columns: E-Mail, Name, Tarif"),
        (["run", "leads.csv", "--map", "Name=optOut"], 1, "Unknown target"),
        (["run", "leads.csv", "--field", "shoe=keep"], 1, "Unknown field"),
        (["run", "leads.csv", "--encoding", "klingon"], 1, "Unknown encoding"),
        (["run", "leads.csv", "--map", "E-Mail=ignore"], 1, "Map one column to email"),
        (["undo", "0197a3b0-5e4c-7cc3-98c8-2f1d5a7b9e10"], 1, "No import with this ID"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(
    terminal: Terminal, file: Path, arguments: list[str], code: int, told: str
) -> None:
    done = terminal.here("import", *arguments)

    assert done.returncode == code, done.stderr
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
