"""`leadflood icp` with a workspace: import, publish, explain, export."""

import json
from uuid import UUID

from leadflood.domains.icps.service import publishing
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import make_lead

PROFILE = """\
name: Fit
groups:
  - name: All
    criteria:
      - {key: german, label: German, test: {field: lead.country, in: [DE]}, points: 20}
tiers: [{name: A, atLeast: 20}, {name: B}]
"""


async def test_a_profile_is_imported_published_explained_and_exported(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")
    file = terminal.folder / "profile.yaml"
    file.write_text(PROFILE)

    assert terminal.here("icp", "import", "profile.yaml").returncode == 0
    started = terminal.here("icp", "publish", "fit", "--json")
    version_id = UUID(json.loads(started.stdout)["publishing"]["id"])
    async with database.transaction(terminal.workspace_id) as tx:
        actor = Actor.system(terminal.workspace_id)
        await publishing.score_chunk(tx, actor, version_id=version_id, after_id=None)
        await publishing.finish(tx, actor, version_id=version_id)
    explained = terminal.here("icp", "explain", "ada@acme.com")
    file.write_text(terminal.here("icp", "export", "Fit").stdout.replace("points: 20", "points: 30"))
    again = terminal.here("icp", "import", "profile.yaml", "--json")
    (listed,) = [json.loads(line) for line in terminal.here("icp", "list", "--json").stdout.splitlines()]
    unknown = terminal.here("icp", "export", "Nothing")

    assert "B, 0 points, could become 0 to 20; 1 of 1 unknown." in explained.stdout, explained.stderr
    assert json.loads(again.stdout)["draft"]["number"] == 2, again.stderr
    assert (listed["live"]["number"], listed["main"]) == (1, True)
    assert (unknown.returncode, "No such profile" in unknown.stderr) == (1, True)


async def test_a_backtest_runs_without_a_worker(terminal: Terminal, database: Database) -> None:
    await make_lead(database, terminal.workspace_id, "ada@acme.com")
    (terminal.folder / "profile.yaml").write_text(PROFILE)
    assert terminal.here("icp", "import", "profile.yaml").returncode == 0
    assert terminal.here("outcome", "add", "ada@acme.com", "won").returncode == 0

    shown = terminal.here("icp", "backtest", "fit", "--facts", "today")
    found = json.loads(terminal.here("icp", "backtest", "fit", "--json").stdout)

    assert "Version 1: 1 leads with an outcome, 1 wins" in shown.stdout, shown.stderr
    assert "Later facts may have leaked" in shown.stderr
    assert "Too few to judge" in shown.stderr
    assert (found["state"], found["result"]["tested"]["tiers"][1]["leads"]) == ("done", 1)
