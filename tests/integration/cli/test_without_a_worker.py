import json

from tests.integration.cli.conftest import Terminal


def test_waiting_in_vain_is_no_success_and_says_that_no_worker_runs(terminal: Terminal) -> None:
    done = terminal.here("lead", "add", "ada@acme.com", "--wait", "--timeout", "4")

    assert done.returncode == 1
    assert "queued" in done.stderr
    assert "No worker is running" in done.stderr
    assert "leadflood lead watch" in done.stderr


def test_the_doctor_says_that_no_worker_runs(terminal: Terminal) -> None:
    done = terminal.run("doctor", "--json")

    assert done.returncode == 1
    found = {item["check"]: item for item in map(json.loads, done.stdout.splitlines())}
    assert not found["workers"]["ok"]
    assert "leadflood worker" in found["workers"]["remedy"]
