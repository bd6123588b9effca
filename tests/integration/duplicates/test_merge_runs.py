"""Merging all certain pairs over HTTP and on the command line, and undoing it."""

import httpx

from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.integration.cli.conftest import Terminal, command_environment, terminal
from tests.integration.cli.test_leads_and_jobs import objects
from tests.support.api import Caller, caller, gate, new_caller, parts, toys
from tests.support.certain_pairs import new_certain_pairs, run_duplicate_jobs

__all__ = ["caller", "command_environment", "gate", "parts", "terminal", "toys"]


async def emails(toys: httpx.AsyncClient, caller: Caller) -> list[str]:
    answer = await toys.get("/v1/leads", headers=caller.headers)
    return sorted(lead["email"] for lead in answer.json()["items"])


async def test_all_certain_pairs_are_merged_and_undone_over_http(
    toys: httpx.AsyncClient, caller: Caller, database: Database
) -> None:
    await new_certain_pairs(database, Actor.cli(caller.workspace_id), 2)
    counts = (await toys.get("/v1/duplicates/counts", headers=caller.headers)).json()
    reader = await new_caller(database, [LEADS_READ], workspace_id=caller.workspace_id)
    assert counts["certain"] == {"value": 2, "exact": True}

    fewer = await toys.post("/v1/merge-runs", json={"expectedCount": 1}, headers=caller.headers)
    refused = await toys.post("/v1/merge-runs", json={"expectedCount": 2}, headers=reader.headers)
    begun = await toys.post("/v1/merge-runs", json={"expectedCount": 2}, headers=caller.headers)
    again = await toys.post("/v1/merge-runs", json={"expectedCount": 2}, headers=caller.headers)
    await run_duplicate_jobs(database, caller.workspace_id)
    merged = (await toys.get(begun.headers["Location"], headers=reader.headers)).json()

    assert (fewer.status_code, refused.status_code, begun.status_code) == (409, 403, 202)
    assert again.json()["code"] == "merge_run_active"
    assert (merged["status"], merged["total"], merged["merged"]) == ("merged", 2, 2)
    assert await emails(toys, caller) == ["grace@hopper.com", "katherine@johnson.com"]

    undoing = await toys.post(f"/v1/merge-runs/{merged['id']}/undos", headers=caller.headers)
    await run_duplicate_jobs(database, caller.workspace_id)
    undone = (await toys.get(f"/v1/merge-runs/{merged['id']}", headers=caller.headers)).json()

    assert (undoing.status_code, undone["status"], undone["undone"]) == (202, "undone", 2)
    assert len(await emails(toys, caller)) == 4
    assert (await toys.get(f"/v1/merge-runs/{new_id()}", headers=caller.headers)).status_code == 404


async def test_all_certain_pairs_are_merged_and_undone_on_the_command_line(
    terminal: Terminal, database: Database
) -> None:
    nothing = terminal.here("duplicate", "merge-certain", "--yes")
    await new_certain_pairs(database, Actor.cli(terminal.workspace_id), 1)

    (pair,) = objects(terminal.here("duplicate", "list", "--json"))
    asked = terminal.here("duplicate", "merge-certain")
    (begun,) = objects(terminal.here("duplicate", "merge-certain", "--yes", "--no-wait", "--json"))
    await run_duplicate_jobs(database, terminal.workspace_id)
    shown = terminal.here("duplicate", "show", begun["id"])
    terminal.here("duplicate", "undo", begun["id"], "--no-wait")
    await run_duplicate_jobs(database, terminal.workspace_id)
    (undone,) = objects(terminal.here("duplicate", "show", begun["id"], "--json"))

    assert (nothing.returncode, "No pair is certain" in nothing.stderr) == (1, True)
    assert (pair["score"], begun["total"]) == (100, 1)
    assert (asked.returncode, "--yes" in asked.stderr) == (1, True)
    assert "merged" in shown.stdout
    assert (undone["status"], undone["undone"]) == ("undone", 1)
