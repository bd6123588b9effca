"""`leadflood rule` with a workspace: add, list, show, preview, disable, delete."""

import json

from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead
from tests.integration.icps.desk import publish_profile
from tests.integration.icps.tenant import BODY


async def test_a_rule_is_added_shown_previewed_disabled_and_deleted(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")
    await publish_profile(database, Actor.system(terminal.workspace_id), BODY)

    added = terminal.here("rule", "add", "Hot", "--profile", "fit", "--enters", "A", "--tag", "Hot", "--json")
    preview = terminal.here("rule", "dry-run", "hot")
    shown = terminal.here("rule", "show", "Hot")
    unknown = terminal.here("rule", "add", "Other", "--profile", "Fit", "--enters", "A", "--list", "None")
    disabled = terminal.here("rule", "disable", "Hot")
    (listed,) = [json.loads(line) for line in terminal.here("rule", "list", "--json").stdout.splitlines()]
    deleted = terminal.here("rule", "delete", "Hot")

    assert json.loads(added.stdout)["enabled"] is True, added.stderr
    assert "1 leads are in tier A; the rule would change 1 of them." in preview.stdout, preview.stderr
    assert "- Add tag “Hot”" in shown.stdout, shown.stderr
    assert (unknown.returncode, "No such list" in unknown.stderr) == (1, True)
    assert (disabled.returncode, deleted.returncode, listed["enabled"]) == (0, 0, False)
