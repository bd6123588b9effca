"""`leadflood up` on an empty data folder, with real processes: the README's first command, and its end by all means."""

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.support.postgres import temporary_home
from tests.support.processes import PROGRAM, Installation, Running, all_gone, gone, until

ENDS_WITH = "Press Ctrl-C to stop"
PASSWORD = "  Password   "
COMPANY = "nordlabs-de.de"
"""A company of the demo's internet."""


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """One data folder for all: it is filled only once."""
    with temporary_home() as folder, Installation(folder / "home") as installation:
        yield installation


def wait_until_all_gone(running: Running, family: list[int]) -> None:
    until(lambda: all_gone(family))
    assert running.pids() == {}


def expect_refusal_in_production(installation: Installation) -> None:
    production = installation.start("up", env="production")
    assert production.wait() == 1
    assert "leadflood user set-password demo@leadflood.local" in production.output
    assert "LEADFLOOD_ENV=development leadflood up" in production.output
    assert "Traceback" not in production.output
    assert "api.started" not in production.output


def expect_the_company_read_once(installation: Installation) -> None:
    """The company of the first lead was read, and a second lead of it is enriched without another request."""
    shown = installation.run("company", "show", COMPANY, "--json")
    first = json.loads(shown.stdout)["enrichment"]
    values = {item["field"]: item for item in first["values"] if item["chosen"]}
    assert (values["legal_name"]["value"], values["city"]["value"]) == ("Nordlabs GmbH", "Berlin")
    assert values["phone"]["sourceUrl"].startswith(f"https://{COMPANY}/")
    assert {step["source"] for step in first["runs"][0]["steps"] if step["state"] == "found"} >= {"website", "dns"}

    assert installation.run("lead", "add", f"grace.hopper@{COMPANY}", "--wait").returncode == 0

    again = json.loads(installation.run("company", "show", COMPANY, "--json").stdout)
    assert again["enrichment"] == first


def expect_the_demo_user_last(up: Running) -> None:
    assert up.output.count(f"{PASSWORD}demo-flood-2026") == 1
    assert "owner@leadflood.local" not in up.output
    assert "Set it up in the browser" not in up.output
    assert up.output.index("enriched    ada.lovelace@acme.com") < up.output.index(PASSWORD)


def test_the_first_command_ends_with_an_enriched_lead_and_everything_else_of_a_day(installation: Installation) -> None:
    up = installation.up("--demo", program=PROGRAM)
    up.wait_for(ENDS_WITH)
    expect_the_demo_user_last(up)
    assert "enriched    ada.lovelace@acme.com" in up.output
    assert "email_insight" in up.output
    assert set(up.pids()) == {"postgres", "api", "worker", "dev-mail", "demo-internet"}

    added = installation.run("lead", "add", f"alan.turing@{COMPANY}", "--wait", "--json")
    assert added.returncode == 0, added.stderr
    lead = json.loads(added.stdout)["lead"]
    client = installation.login("demo@leadflood.local", "demo-flood-2026")
    assert client.get(f"/v1/leads/{lead['id']}").json()["status"] == "enriched"
    expect_the_company_read_once(installation)
    assert installation.run("doctor").returncode == 0

    second = installation.run("up")
    assert second.returncode == 1
    assert str(up.pid) in second.stderr
    assert str(installation.home) in second.stderr

    family = up.family()
    assert up.stop(signal.SIGINT) == 0
    assert f"Stopped. Your data is in {installation.home}." in up.output
    wait_until_all_gone(up, family)

    again = installation.up("--demo")
    again.wait_for(ENDS_WITH)
    assert up.output.count(PASSWORD) == 1
    assert "Sample data already loaded." in again.output
    shown = installation.run("lead", "show", f"alan.turing@{COMPANY}", "--json")
    assert json.loads(shown.stdout)["lead"]["id"] == lead["id"]
    doctor = installation.run("doctor", env="production")
    assert doctor.returncode == 1
    assert "leadflood user set-password demo@leadflood.local" in doctor.stdout
    family = again.family()
    assert again.stop(signal.SIGTERM) == 0
    wait_until_all_gone(again, family)
    expect_refusal_in_production(installation)


def test_a_hung_api_is_replaced_and_a_killed_up_takes_its_children_along_and_the_next_finds_its_data(
    installation: Installation,
) -> None:
    up = installation.start("up", api_processes="2")
    up.wait_for("LEAD-FLOOD is ready")
    until(lambda: up.output.count("api.started") == 2)
    added = installation.run("lead", "add", "grace.hopper@acme.com", "--wait", "--json")
    assert added.returncode == 0, added.stderr

    hung = up.pids()["api"]
    os.kill(hung, signal.SIGSTOP)
    until(lambda: up.output.count("api.started") == 3)
    assert gone(hung)
    assert {installation.http().get("/ready").status_code for _ in range(8)} == {200}

    children = [up.pids()[name] for name in ("api", "api-2", "worker", "dev-mail")]
    up.kill()
    until(lambda: all_gone(children))

    again = installation.up()
    again.wait_for("LEAD-FLOOD is ready")
    assert PASSWORD not in again.output
    shown = installation.run("lead", "show", "grace.hopper@acme.com", "--json")
    assert json.loads(shown.stdout)["lead"]["status"] == "enriched"
    assert again.stop() == 0


def test_a_stop_while_it_starts_leaves_nothing_behind() -> None:
    with temporary_home() as folder, Installation(folder / "home") as installation:
        up = installation.up()
        up.wait_for("Preparing the database")
        family = up.family()
        assert up.stop(signal.SIGTERM) == 130
        wait_until_all_gone(up, family)
