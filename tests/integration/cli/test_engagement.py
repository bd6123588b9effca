"""`leadflood engagement`: import a file twice, list, add, delete."""

import json

from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead


async def test_engagements_are_imported_once_listed_and_deleted(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")
    file = terminal.folder / "engagements.csv"
    rows = ["ada@acme.com,email_replied,2026-03-01,", "no@acme.com,page_visited,2026-03-01,2"]
    file.write_text("\n".join(["email,kind,at,points", *rows, ""]))

    first = terminal.here("engagement", "import", "engagements.csv")
    second = terminal.here("engagement", "import", "engagements.csv", "--json")
    added = terminal.here("engagement", "add", "ada@acme.com", "fair visited", "--points", "15", "--json")
    refused = terminal.here("engagement", "add", "ada@acme.com", "fair_visited")
    deleted = terminal.here("engagement", "delete", json.loads(added.stdout)["id"])
    listed = terminal.here("engagement", "list", "ada@acme.com", "--json")

    assert "1 created, 0 unchanged, 1 failed." in first.stderr
    assert "Line 3, no@acme.com: email: No lead has this email." in first.stderr
    counts = json.loads(second.stdout)
    assert (counts["created"], counts["unchanged"], counts["failures"][0]["line"]) == (0, 1, 3)
    assert (refused.returncode, "Provide points" in refused.stderr) == (1, True)
    assert deleted.returncode == 0, deleted.stderr
    assert [json.loads(line)["kind"] for line in listed.stdout.splitlines()] == ["email_replied"]
