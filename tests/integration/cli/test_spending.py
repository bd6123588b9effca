"""`leadflood budget`, `price` and `spend`."""

import json

from tests.integration.cli.conftest import Terminal


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
