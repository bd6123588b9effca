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
    names = [json.loads(line)["name"] for line in listed.stdout.splitlines()]
    assert names[0] == "email_insight", listed.stderr
    assert "hunter_email_finder" in names
    assert "website" not in names
    shown = terminal.here("source", "show", "email_insight", "--json")
    assert (json.loads(shown.stdout)["name"], shown.returncode) == ("email_insight", 0)
    assert terminal.here("source", "show", "nothing").returncode == 1


def test_a_language_model_is_set_up(terminal: Terminal) -> None:
    given = ("source", "set-model", "https://api.acme-ai.test/v1/", "acme-small", "--field", "industry")
    made = terminal.here(*given, "--max-tokens", "500", "--json")
    assert made.returncode == 0, made.stderr
    model = json.loads(made.stdout)
    assert (model["url"], model["model"], model["fields"]) == (
        "https://api.acme-ai.test/v1",
        "acme-small",
        ["industry"],
    )
    assert (model["maxTokens"], model["maxBytes"], model["enabled"]) == (500, 24_000, False)
    here = ("--workspace", str(terminal.workspace_id))
    key = terminal.run("source", "set-key", "language_model", "--key-stdin", *here, text="canary-4711-secret\n")
    assert (key.returncode, "canary" in key.stdout + key.stderr) == (0, False), key.stderr

    moved = terminal.here("source", "set-model", "https://other.acme-ai.test/v1", "acme-small")
    assert "The key was for another server and is deleted." in moved.stderr, moved.stderr
    local = ("source", "set-model", "http://localhost:11434/v1", "llama", "--no-key")
    refused = terminal.here(*local)
    assert (refused.returncode, "LEADFLOOD_INTERNAL_HOSTS=model=HOST:PORT" in refused.stderr) == (1, True)
    allowed = terminal.run(*local, *here, internal_hosts="model=localhost:11434")
    assert "http://localhost:11434" in allowed.stdout, allowed.stderr


def test_facts_are_corrected_pinned_and_rejected_and_sources_retracted(terminal: Terminal) -> None:
    assert terminal.here("company", "create", "acme.com").returncode == 0
    corrected = terminal.here("fact", "correct", "employees", "1,200", "--company", "acme.com", "--json")
    values = json.loads(corrected.stdout)["values"]
    assert [(item["value"], item["source"]) for item in values] == [(1200, "manual")], corrected.stderr
    assert values[0]["pin"]["actorName"] == "CLI"
    shown = terminal.here("fact", "correct", "employees", "1,200", "--company", "acme.com")
    assert "Corrected by CLI on 20" in shown.stdout, shown.stderr
    undone = terminal.here("change", "undo", json.loads(corrected.stdout)["changesetId"])
    assert undone.returncode == 0, undone.stderr
    assert "No changes needed." in terminal.here("fact", "uncorrect", "employees", "--company", "acme.com").stderr
    missing = terminal.here("fact", "reject", "employees", "5", "--company", "acme.com")
    assert (missing.returncode, "No source has this value" in missing.stderr) == (1, True)
    assert terminal.here("fact", "pin", "employees", "5").returncode == 2
    nothing = terminal.here("fact", "accept", "--company", "acme.com")
    assert (nothing.returncode, "No changes needed." in nothing.stderr) == (0, True)

    kept = terminal.here("policy", "set", "company", "country", "--fill-at", "0.9", "--dry-run", "--json")
    assert (json.loads(kept.stdout)["changed"], kept.returncode) == (0, 0), kept.stderr
    made = terminal.here("policy", "set", "company", "country", "--no-suggest", "--json")
    assert json.loads(made.stdout)["fillAt"] is None, made.stderr
    listed = [json.loads(line) for line in terminal.here("policy", "list", "--json").stdout.splitlines()]
    assert [item["field"] for item in listed if not item["standard"]] == ["country"]
    assert terminal.here("policy", "reset", "company", "country").returncode == 0

    counted = terminal.here("source", "retract", "website", "--since", "2026-01-01T00:00Z", "--company", "acme.com")
    assert (counted.returncode, "values" in counted.stdout) == (0, True), counted.stderr
