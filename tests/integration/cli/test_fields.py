"""`leadflood field`."""

from tests.integration.cli.conftest import Terminal
from tests.integration.cli.test_leads_and_jobs import objects


async def test_fields_are_created_listed_changed_and_deleted(terminal: Terminal) -> None:
    made = objects(terminal.here("field", "create", "Plan", "--type", "choice", "--option", "Free", "--json"))
    terminal.here("field", "create", "Annual revenue", "--type", "number")
    changed = terminal.here("field", "update", "plan", "--label", "Tier", "--position", "1", "--archive")
    listed = objects(terminal.here("field", "list", "--json"))
    shown = terminal.here("field", "list")
    refused = terminal.here("field", "create", "Plan")
    deleted = terminal.here("field", "delete", "plan")
    unknown = terminal.here("field", "delete", "plan")

    assert (made[0]["key"], made[0]["options"]) == ("plan", [{"value": "Free", "label": "Free"}])
    assert changed.returncode == 0
    assert [(item["key"], item["label"], item["archived"]) for item in listed] == [
        ("annual_revenue", "Annual revenue", False),
        ("plan", "Tier", True),
    ]
    assert "annual_revenue" in shown.stdout
    assert (refused.returncode, "already exists" in refused.stderr) == (1, True)
    assert (deleted.returncode, unknown.returncode) == (0, 1)
