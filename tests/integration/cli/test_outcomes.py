"""`leadflood outcome`: import a file twice, list, add, delete."""

import json

from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead


async def test_outcomes_are_imported_once_listed_and_deleted(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")
    file = terminal.folder / "outcomes.csv"
    file.write_text("email,outcome,date\nada@acme.com,won,2026-03-01\nno@acme.com,lost,2026-03-01\n")

    first = terminal.here("outcome", "import", "outcomes.csv")
    second = terminal.here("outcome", "import", "outcomes.csv", "--json")
    added = terminal.here("outcome", "add", "ada@acme.com", "bad", "--json")
    refused = terminal.here("outcome", "add", "ada@acme.com", "perhaps")
    deleted = terminal.here("outcome", "delete", json.loads(added.stdout)["id"])
    listed = terminal.here("outcome", "list", "ada@acme.com", "--json")

    assert "1 recorded, 0 unchanged, 1 unmatched, 0 invalid." in first.stderr
    assert "no@acme.com: no lead has this email" in first.stderr
    assert json.loads(second.stdout) == {"recorded": 0, "unchanged": 1, "unmatched": 1, "invalid": 0}
    assert (refused.returncode, "won, lost, good, bad" in refused.stderr) == (1, True)
    assert deleted.returncode == 0, deleted.stderr
    assert [json.loads(line)["outcome"] for line in listed.stdout.splitlines()] == ["won"]
