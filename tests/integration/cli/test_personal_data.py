"""`leadflood lead export-personal-data` and `leadflood lead erase`."""

import json

from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead, objects


async def test_a_person_is_exported_listed_and_erased(terminal: Terminal, database: Database) -> None:
    lead_id, _ = await make_lead(database, terminal.workspace_id, "ada@acme.com")
    file = terminal.folder / "ada.json"

    exported = terminal.here("lead", "export-personal-data", "ADA@acme.com", "--output", str(file))
    dry = terminal.here("lead", "erase", str(lead_id), "--dry-run")
    shown = terminal.here("lead", "show", str(lead_id))
    asked = terminal.here("lead", "erase", "ada@acme.com")
    erased = objects(terminal.here("lead", "erase", "ada@acme.com", "--yes", "--json"))
    again = terminal.here("lead", "erase", str(lead_id), "--yes")
    nothing = terminal.here("lead", "erase", "ada@acme.com", "--dry-run")

    assert exported.returncode == 0, exported.stderr
    assert json.loads(file.read_text())["places"]["leads"][0]["email"] == "ada@acme.com"
    assert "leads" in dry.stdout
    assert (dry.returncode, shown.returncode) == (0, 0)
    assert asked.returncode == 1
    assert [(item["leadIds"], item["dryRun"]) for item in erased] == [([str(lead_id)], False)]
    assert again.returncode == 1
    assert "lead" in again.stderr
    assert (nothing.returncode, "Nothing is stored" in nothing.stderr) == (0, True)
