"""`leadflood budget`, `price` and `spend`."""

import json

from leadflood.domains.enrichment.engine.memory import MemoryFingerprints
from leadflood.domains.enrichment.models import SubjectKind
from leadflood.domains.enrichment.models.answers import AnswerLost
from leadflood.domains.enrichment.models.runs import StepState
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.ids import new_id
from tests.integration.cli.conftest import Terminal
from tests.integration.enrichment.buyer import HIT, Buyer, Provider
from tests.integration.spending.till import Till
from tests.support.new_companies import new_company


async def test_prices_and_budgets_are_set_changed_and_shown(terminal: Terminal) -> None:
    assert terminal.here("price", "set", "provider", "0.025", "--most-per-hit", "0,2").returncode == 0
    (price,) = [json.loads(line) for line in terminal.here("price", "list", "--json").stdout.splitlines()]
    assert (price["priceMicros"], price["mostPerHitMicros"]) == (25_000, 200_000)

    assert terminal.here("budget", "create", "50").returncode == 0
    assert terminal.here("budget", "create", "5", "--source", "provider", "--per", "day").returncode == 0
    again = terminal.here("budget", "create", "50")
    wrong = terminal.here("budget", "create", "much")
    listed = terminal.here("budget", "list", "--json")
    month, day = (json.loads(line) for line in listed.stdout.splitlines())
    paused = terminal.here("budget", "set", month["id"], "--state", "paused", "--json")

    assert (again.returncode, "There is a budget" in again.stderr) == (1, True)
    assert (wrong.returncode, "Must be an amount" in wrong.stderr) == (1, True)
    assert (month["limitMicros"], month["period"], day["subject"]) == (50_000_000, "month", "provider")
    assert json.loads(paused.stdout)["state"] == "paused"
    assert "5.00 EUR" in terminal.here("budget", "list").stdout
    assert "0.00 EUR" in terminal.here("spend", "--by", "day").stdout
    assert terminal.here("price", "remove", "provider").returncode == 0
    assert terminal.here("price", "remove", "provider").returncode == 1


async def test_purchases_are_listed_and_asked_for_again_where_their_answer_was_lost(
    terminal: Terminal, database: Database
) -> None:
    till = Till(database, Actor.system(terminal.workspace_id))
    await till.price()
    await till.budget(1000)
    asker = LookupAsker(terminal.workspace_id, SubjectKind.COMPANY, await new_company(database, terminal.workspace_id))
    buyer, provider = Buyer(till, asker, MemoryFingerprints().hash), Provider([AnswerLost("Cut."), HIT])
    await buyer.ask(provider)

    (lost,) = map(json.loads, terminal.here("purchase", "list", "--state", "in_doubt", "--json").stdout.splitlines())
    decided = terminal.here("purchase", "ask-again", lost["id"], "--json")

    assert json.loads(decided.stdout)["state"] == "written_off"
    assert (await buyer.ask(provider)).state is StepState.FOUND
    assert "0.00003 EUR" in terminal.here("purchase", "list").stdout
    assert terminal.here("purchase", "ask-again", str(new_id())).returncode == 1
