"""`leadflood change`, and deleted leads at the command line."""

from uuid import UUID

from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.service import bulk
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead, objects


async def test_a_change_is_listed_shown_and_undone_and_deleted_leads_are_restored(
    terminal: Terminal, database: Database
) -> None:
    actor = Actor.cli(terminal.workspace_id)
    ids = [(await make_lead(database, actor.workspace_id, f"{name}@acme.com"))[0] for name in ("ada", "bob", "eve")]
    command = BulkChange.model_validate({"action": "delete", "leadIds": [str(item) for item in ids[:2]]})
    async with database.transaction(actor.workspace_id) as tx:
        change = await bulk.change_leads(tx, actor, command=command, trace={})
        await leads.delete_lead(tx, actor, lead_id=ids[2])

    listed = objects(terminal.here("change", "list", "--json"))
    shown = terminal.here("change", "show", str(change.id))
    deleted = objects(terminal.here("lead", "list", "--deleted", "--json"))
    undone = objects(terminal.here("change", "undo", str(change.id), "--json"))
    again = terminal.here("change", "undo", str(change.id))
    restored = terminal.here("lead", "restore", str(ids[2]))
    skipped = terminal.here("lead", "restore", str(ids[2]))

    assert [(item["id"], item["status"], item["deleted"]) for item in listed] == [(str(change.id), "applied", 2)]
    assert listed[0]["undoUntil"] is not None
    assert "undo until" in shown.stdout
    assert {UUID(item["id"]) for item in deleted} == set(ids)
    assert [(item["status"], item["reverted"]) for item in undone] == [("undone", 2)]
    assert again.returncode == 0
    assert ("restored  1" in restored.stdout, restored.returncode, skipped.returncode) == (True, 0, 1)
    assert objects(terminal.here("lead", "list", "--deleted", "--json")) == []
