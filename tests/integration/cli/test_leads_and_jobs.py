import getpass
import json
import subprocess
import sys
from typing import Any
from uuid import UUID

from leadflood.domains.jobs import queries as jobs_queries
from leadflood.domains.leads import queries as leads_queries
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.cli.conftest import Terminal
from tests.support.processes import Running
from tests.support.trail import events_of, row
from tests.support.waiting import eventually

NAMES = ["👩‍👩‍👧‍👦", "中村", "שלום", "ليلى", "Zoë"]


def objects(done: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# Its ticket is then for an attempt that is over, so a worker of another test leaves it alone.
HOLD = sql("UPDATE job_executions SET attempts = 1, max_attempts = 9 WHERE id = :id")


async def make_lead(
    database: Database, workspace_id: UUID, email: str, *, held: bool = False, **fields: str
) -> tuple[UUID, UUID]:
    actor = Actor.cli(workspace_id)
    command = CreateLead.model_validate({"email": email, **fields})
    async with database.transaction(workspace_id) as tx:
        made = await leads.create_lead(tx, actor, command=command, trace={})
        if held:
            await tx.execute(HOLD, {"id": made.job_id})
    return made.lead_id, made.job_id


def test_adding_a_lead_and_waiting_shows_its_states_and_what_was_found(terminal: Terminal, worker: Running) -> None:
    done = terminal.here("lead", "add", "ada.lovelace@acme.com", "--custom", "plan=pro", "--wait")

    assert done.returncode == 0, done.stderr
    states = [line.split("s  ")[-1].strip() for line in done.stderr.splitlines()]
    assert states == ["queued", "running, attempt 1 of 5", "completed"]
    assert "enriched" in done.stdout
    assert "Lovelace" in done.stdout
    assert "email_insight" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_found_values_are_marked_and_accepted(terminal: Terminal, worker: Running) -> None:
    added = terminal.here("lead", "add", "alan.turing@acme.com", "--wait")
    assert "Alan  (found by email_insight, 0." in added.stdout

    (done,) = objects(terminal.here("lead", "accept", "alan.turing@acme.com", "--field", "firstName", "--json"))
    shown = terminal.here("lead", "show", "alan.turing@acme.com").stdout

    assert (done["fields"], done["changesetId"] is not None) == (["firstName"], True)
    assert ("Alan  (found" in shown, "Turing  (found" in shown) == (False, True)
    assert terminal.here("lead", "accept", "alan.turing@acme.com", "--all").returncode == 0
    assert terminal.here("lead", "accept", "alan.turing@acme.com").returncode != 0
    assert terminal.here("lead", "accept", "alan.turing@acme.com", "--field", "email").returncode != 0


def test_found_values_of_all_leads_of_a_filter_are_accepted_and_that_is_undone(
    terminal: Terminal, worker: Running
) -> None:
    for email in ("alan.turing@acme.com", "ada.lovelace@acme.com"):
        assert terminal.here("lead", "add", email, "--wait").returncode == 0
    tree = {"all": [{"field": "email", "operator": "contains", "value": "acme"}]}
    both = ("lead", "accept", "--all", "--filter", json.dumps(tree))

    fewer = terminal.here(*both, "--expected", "1")
    assert fewer.returncode == 1, "more leads match"
    assert "Turing  (found" in terminal.here("lead", "show", "alan.turing@acme.com").stdout
    assert terminal.here(*both).returncode != 0, "nobody confirms it"
    (done,) = objects(terminal.here(*both, "--expected", "2", "--json"))
    assert (done["total"], done["updated"]) == (2, 2)
    shown = terminal.here("lead", "show", "alan.turing@acme.com").stdout
    assert ("Turing" in shown, "Turing  (found" in shown) == (True, False)
    assert terminal.here("change", "undo", done["id"]).returncode == 0
    assert "Turing  (found" in terminal.here("lead", "show", "alan.turing@acme.com").stdout
    assert terminal.here("lead", "accept", "--filter", "{}", "--field", "firstName").returncode == 2
    assert terminal.here("lead", "accept", "alan.turing@acme.com", "--all", "--filter", "{}").returncode == 2


def test_a_program_gets_lead_values_and_jobs_as_one_object(terminal: Terminal, worker: Running) -> None:
    (found,) = objects(terminal.here("lead", "add", "grace.hopper@acme.com", "--wait", "--json"))

    assert found["lead"]["status"] == "enriched"
    assert found["lead"]["source"] == "cli"
    assert [job["status"] for job in found["jobs"]] == ["completed"]
    assert {value["field"]: value["value"] for value in found["enrichment"]["values"]}["first_name"] == "Grace"

    assert objects(terminal.here("lead", "watch", found["lead"]["id"], "--json")) == [found]


async def test_a_second_lead_with_the_address_is_refused_with_the_id_of_the_first(
    terminal: Terminal, database: Database
) -> None:
    lead_id, _ = await make_lead(database, terminal.workspace_id, "ada@acme.com")
    done = terminal.here("lead", "add", "ADA@acme.com")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: A lead with this email already exists.")
    assert str(lead_id) in done.stderr


def test_all_values_at_fault_are_named_and_nothing_is_stored(terminal: Terminal) -> None:
    done = terminal.here("lead", "add", "not an address", "--set", "country=Atlantis", "--custom", "1=x")

    assert done.returncode == 1
    assert {line.split()[0] for line in done.stderr.splitlines()[1:]} == {"/email", "/country", "/customFields/1"}
    assert objects(terminal.here("lead", "list", "--json")) == []


async def test_a_lead_is_found_by_its_address_in_any_spelling(terminal: Terminal, database: Database) -> None:
    lead_id, _ = await make_lead(database, terminal.workspace_id, "søren@blåbær.dk")
    (found,) = objects(terminal.here("lead", "show", "SØREN@xn--blbr-roah.dk", "--json"))
    assert found["lead"]["id"] == str(lead_id)

    missing = terminal.here("lead", "show", "nobody@acme.com")
    assert missing.returncode == 1
    assert missing.stderr.startswith("error: ")


async def test_lists_are_aligned_filtered_and_cut_off_with_a_word_about_it(
    terminal: Terminal, database: Database
) -> None:
    for number, name in enumerate(NAMES):
        await make_lead(database, terminal.workspace_id, f"n{number}@acme.com", firstName=name)

    cut = terminal.here("lead", "list", "--limit", "2")
    assert len(cut.stdout.splitlines()) == 1 + 2
    assert "Showing 2. Use --all for more." in cut.stderr
    assert len(objects(terminal.here("lead", "list", "--all", "--json"))) == len(NAMES)
    assert objects(terminal.here("lead", "list", "--status", "failed", "--json")) == []
    assert [item["firstName"] for item in objects(terminal.here("lead", "list", "--q", "中村", "--json"))] == ["中村"]


def test_a_reader_that_has_seen_enough_ends_a_list_quietly(terminal: Terminal) -> None:
    argv = [sys.executable, "-m", "leadflood", "lead", "list", "--help"]
    with subprocess.Popen(
        argv, env=terminal.env, cwd=terminal.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


async def test_a_job_is_cancelled_and_brought_back(terminal: Terminal, database: Database) -> None:
    lead_id, job_id = await make_lead(database, terminal.workspace_id, "ada@acme.com", held=True)

    (cancelled,) = objects(terminal.here("job", "cancel", str(job_id), "--json"))
    assert (cancelled["status"], cancelled["lastError"]) == ("failed", "Cancelled by cli.")
    async with database.transaction(terminal.workspace_id) as tx:
        actor = Actor.cli(terminal.workspace_id)
        assert (await leads_queries.get_lead(tx, actor, lead_id=lead_id)).status == "failed"

    again = terminal.here("job", "cancel", str(job_id))
    assert (again.returncode, again.stderr[:7]) == (1, "error: ")
    (retried,) = objects(terminal.here("job", "retry", str(job_id), "--json"))
    assert retried["id"] == str(job_id)
    assert retried["status"] == "queued"
    shown = terminal.here("job", "show", str(job_id))
    assert "Cancelled by cli." in shown.stdout
    events = [event for event in await events_of(database, terminal.workspace_id) if event.subject_type == "job"]
    told = '{"count": 1, "kind": "leads.enrich.v1"}'
    assert [row(event) for event in events] == [("job.cancelled", "job *", told), ("job.retried", "job *", told)]
    assert {(event.actor.kind, event.data["osUser"]) for event in events} == {("cli", getpass.getuser())}


def test_an_id_that_is_none_is_wrong_usage_and_one_of_nothing_a_refusal(terminal: Terminal) -> None:
    assert terminal.here("job", "show", "seven").returncode == 2
    assert terminal.here("job", "show", str(new_id())).returncode == 1


async def test_dead_letters_are_retried(terminal: Terminal, database: Database) -> None:
    _, job_id = await make_lead(database, terminal.workspace_id, "ada@acme.com")
    async with database.transaction(terminal.workspace_id) as tx:
        await tx.execute(sql("UPDATE outbox_events SET status = 'dead_letter' WHERE job_id = :id"), {"id": job_id})

    (dead,) = objects(terminal.here("event", "list", "--status", "dead_letter", "--json"))
    assert terminal.here("event", "retry").returncode == 2
    (replayed,) = objects(terminal.here("event", "retry", "--all", "--json"))

    assert replayed["id"] == dead["id"]
    shown = terminal.here("event", "show", dead["id"])
    assert (shown.returncode, str(job_id) in shown.stdout) == (0, True), shown.stderr
    async with database.transaction(terminal.workspace_id) as tx:
        event = await jobs_queries.get_event(tx, Actor.cli(terminal.workspace_id), event_id=UUID(dead["id"]))
    assert event.status != "dead_letter"
    assert terminal.here("event", "retry", dead["id"]).returncode == 1
    (recorded,) = [
        row(item) for item in await events_of(database, terminal.workspace_id) if item.action[:6] == "outbox"
    ]
    assert recorded == ("outbox_event.replayed", "outbox_event *", '{"count": 1}')


async def test_the_event_feed_continues_after_its_cursor(terminal: Terminal, database: Database) -> None:
    lead_ids = [(await make_lead(database, terminal.workspace_id, f"feed{n}@acme.com", held=True))[0] for n in range(3)]

    async def shown() -> bool:  # as soon as no earlier transaction of the server still runs
        return str(lead_ids[-1]) in terminal.here("event", "feed").stdout

    await eventually(shown)
    first = terminal.here("event", "feed", "--type", "lead.created.v1", "--limit", "2", "--json")
    cursor = first.stderr.split("--after ")[1].strip()
    rest = terminal.here("event", "feed", "--type", "lead.created.v1", "--after", cursor, "--json")

    assert [UUID(item["subject"]["id"]) for item in [*objects(first), *objects(rest)]] == lead_ids
    assert terminal.here("event", "feed", "--after", "nonsense").returncode == 1
    assert terminal.here("event", "show", str(new_id())).returncode == 1
