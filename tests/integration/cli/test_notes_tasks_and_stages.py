"""`leadflood note`, `leadflood task` and `leadflood stage`: everyday work, and what is refused."""

import json

from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead


async def test_notes_are_written_edited_deleted_and_restored(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")

    written = json.loads(terminal.here("note", "add", "ada@acme.com", "Met in Berlin 🎉", "--json").stdout)
    assert terminal.here("note", "edit", written["id"], "Met in Munich").returncode == 0
    assert "note restore" in terminal.here("note", "delete", written["id"]).stderr
    assert terminal.here("note", "list", "ada@acme.com", "--json").stdout == ""
    assert terminal.here("note", "restore", written["id"]).returncode == 0
    (found,) = map(json.loads, terminal.here("note", "list", "ada@acme.com", "--json").stdout.splitlines())

    assert found["text"] == "Met in Munich"


async def test_tasks_are_added_completed_and_refused_for_strangers(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")

    adding = ("task", "add", "ada@acme.com", "Call", "--due", "2026-03-05", "--json")
    added = json.loads(terminal.here(*adding, "--assignee", terminal.owner.upper()).stdout)
    refused = [
        terminal.here(*adding, "--assignee", "nobody@acme.com"),
        terminal.here("task", "list", "--assignee", "nobody@acme.com"),
    ]
    (overdue,) = map(json.loads, terminal.here("task", "list", "--state", "overdue", "--json").stdout.splitlines())
    assert terminal.here("task", "done", added["id"]).returncode == 0
    (done,) = map(json.loads, terminal.here("task", "list", "--state", "done", "--json").stdout.splitlines())

    assert overdue["id"] == done["id"] == added["id"]
    assert [item.returncode for item in refused] == [2, 2]
    assert all("--assignee" in item.stderr and "nobody@acme.com is not a member" in item.stderr for item in refused)


async def test_stages_are_created_moved_and_archived(terminal: Terminal) -> None:
    assert terminal.here("stage", "create", "Demo booked", "--color", "teal").returncode == 0
    assert terminal.here("stage", "update", "demo booked", "--name", "Demo", "--position", "0").returncode == 0
    assert terminal.here("stage", "update", "Demo", "--archive").returncode == 0
    first, *_ = map(json.loads, terminal.here("stage", "list", "--json").stdout.splitlines())
    unknown = terminal.here("stage", "update", "Nothing", "--name", "Something")

    assert (first["name"], first["color"], first["archived"]) == ("Demo", "teal", True)
    assert (unknown.returncode, "Must be one of: New, Working" in unknown.stderr) == (1, True)
