"""`leadflood tag` and `leadflood list`: by name, for leads by email, with what can be undone."""

import json

from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead


async def test_tags_are_created_given_changed_merged_deleted_and_restored(
    terminal: Terminal, database: Database
) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")

    assert terminal.here("tag", "create", "VIP", "--color", "red").returncode == 0
    tagged = terminal.here("tag", "add", "Ada@acme.com", "vip", "Fair 🎉", "--json")
    assert [json.loads(line)["name"] for line in tagged.stdout.splitlines()] == ["Fair 🎉", "VIP"], tagged.stderr
    assert terminal.here("tag", "change", "fair 🎉", "--name", "Fair").returncode == 0
    assert "Undo with" in terminal.here("tag", "merge", "Fair", "VIP").stderr
    listed = terminal.here("tag", "list", "--json")
    (tag,) = [json.loads(line) for line in listed.stdout.splitlines()]
    assert (tag["name"], tag["leads"]["value"]) == ("VIP", 1)
    assert terminal.here("tag", "delete", "VIP").returncode == 0
    assert terminal.here("tag", "restore", tag["id"]).returncode == 0
    removed = terminal.here("tag", "remove", "ada@acme.com", "VIP", "--json")
    unknown = terminal.here("tag", "delete", "Nothing")

    assert (removed.returncode, removed.stdout) == (0, "")
    assert (unknown.returncode, "No such tag" in unknown.stderr) == (1, True)


async def test_lists_are_created_filled_from_a_file_and_emptied(terminal: Terminal, database: Database) -> None:
    for name in ("ada", "grace"):
        await make_lead(database, terminal.workspace_id, f"{name}@acme.com")
    (terminal.folder / "guests.txt").write_text("Grace <grace@acme.com>\nnobody@acme.com\n")

    assert terminal.here("list", "create", "Guests", "--description", "Berlin").returncode == 0
    added = terminal.here("list", "add", "guests", "ada@acme.com", "--file", "guests.txt")
    assert added.returncode == 1
    assert "Added 2 to Guests" in added.stderr
    assert "No lead nobody@acme.com." in added.stderr
    assert terminal.here("list", "change", "Guests", "--name", "Guests 2026").returncode == 0
    assert "Removed 1" in terminal.here("list", "remove", "Guests 2026", "ada@acme.com").stderr
    (found,) = [json.loads(line) for line in terminal.here("list", "list", "--json").stdout.splitlines()]

    assert (found["name"], found["leads"]["value"]) == ("Guests 2026", 1)
    assert terminal.here("list", "delete", "Guests 2026").returncode == 0
    assert terminal.here("list", "restore", found["id"]).returncode == 0
