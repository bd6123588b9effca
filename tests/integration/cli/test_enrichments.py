"""`leadflood enrichment`: estimate, start, show, pause, resume and cancel; and `leadflood source`."""

import json

from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead


async def test_an_enrichment_is_estimated_started_paused_resumed_and_canceled(
    terminal: Terminal, database: Database
) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")
    (terminal.folder / "domains.txt").write_text("acme.com\n\nglobex.de\n")

    estimate = terminal.here("enrichment", "start", "--filter", "{}", "--dry-run", "--json")
    assert json.loads(estimate.stdout)["total"] == 1, estimate.stderr
    assert terminal.here("enrichment", "list", "--json").stdout == "", "nothing was started"

    started = terminal.here("enrichment", "start", "--lead", "ada@acme.com", "--name", "Ada", "--json")
    batch = json.loads(started.stdout)
    assert (batch["name"], batch["status"], batch["total"]) == ("Ada", "running", 1)
    for verb, status in (("pause", "paused"), ("resume", "running"), ("cancel", "canceled"), ("show", "canceled")):
        answer = terminal.here("enrichment", verb, batch["id"], "--json")
        assert json.loads(answer.stdout)["status"] == status, answer.stderr
    late = terminal.here("enrichment", "resume", batch["id"])
    assert (late.returncode, "canceled" in late.stderr) == (1, True)

    of_file = terminal.here("enrichment", "start", "--file", "domains.txt")
    assert "Companies by domain" in of_file.stdout, of_file.stderr
    missing = terminal.here("enrichment", "start", "--file", "missing.txt")
    assert (missing.returncode, "'missing.txt' does not exist" in missing.stderr) == (2, True), missing.stderr
    assert terminal.here("enrichment", "start").returncode == 1
    listed = [json.loads(line)["name"] for line in terminal.here("enrichment", "list", "--json").stdout.splitlines()]
    assert listed == ["Companies by domain", "Ada"]


def test_sources_are_listed_and_shown(terminal: Terminal) -> None:
    listed = terminal.here("source", "list", "--json")
    assert [json.loads(line)["name"] for line in listed.stdout.splitlines()] == ["email_insight"], listed.stderr
    shown = terminal.here("source", "show", "email_insight", "--json")
    assert (json.loads(shown.stdout)["name"], shown.returncode) == ("email_insight", 0)
    assert terminal.here("source", "show", "nothing").returncode == 1
