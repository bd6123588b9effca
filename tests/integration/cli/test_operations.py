import json
import os
import platform
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.migrate import head
from leadflood.kernel.db.operator_warnings import UNTRUSTED_PROXY, store_warning
from leadflood.kernel.db.roles import APP_ROLE
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.conftest import TEMPLATE
from tests.integration.cli.conftest import Terminal
from tests.support.postgres import Cluster
from tests.support.processes import Running, free_port


def checks(terminal: Terminal, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    done = terminal.run("doctor", "--json", **settings)
    found: dict[str, dict[str, Any]] = {}
    for line in done.stdout.splitlines():
        each = json.loads(line)
        if each["check"] in found:  # one line a violation: other tests of this run may have left some, too
            each["detail"] += "\n" + found[each["check"]]["detail"]
        found[each["check"]] = each
    return done.returncode, found


@pytest.fixture
def empty_database(cluster: Cluster) -> Iterator[str]:
    name = f"empty_{new_id().hex}"
    cluster.create_database(name)
    yield name
    cluster.drop_database(name)


def test_a_database_that_is_away_ends_a_command_with_three(terminal: Terminal) -> None:
    done = terminal.run("lead", "list", database_url=f"postgresql://leadflood_app@127.0.0.1:{free_port()}/leadflood")

    assert done.returncode == 3
    assert done.stderr.startswith("error: The database cannot be reached")
    assert len(done.stderr.splitlines()) == 1


def test_a_database_without_our_schema_is_told_apart(terminal: Terminal, cluster: Cluster, empty_database: str) -> None:
    url = cluster.url(empty_database, APP_ROLE)
    done = terminal.run("lead", "list", database_url=url)
    assert done.returncode == 1
    assert "leadflood migrate" in done.stderr

    missing = terminal.run("lead", "list", database_url=cluster.url("nowhere", APP_ROLE))
    assert missing.returncode == 3
    assert "nowhere" in missing.stderr


def test_no_database_at_all_says_how_to_start_one(terminal: Terminal) -> None:
    done = terminal.run("lead", "list", database_url="")

    assert done.returncode == 3
    assert "leadflood up" in done.stderr


def test_a_setting_that_cannot_be_used_is_named(terminal: Terminal) -> None:
    done = terminal.run("lead", "list", port="many", log_level="loud")

    assert done.returncode == 1
    assert {line.split()[0] for line in done.stderr.splitlines()[1:]} == {"LEADFLOOD_PORT", "LEADFLOOD_LOG_LEVEL"}


def test_migrating_reports_the_schema_and_can_be_repeated(
    terminal: Terminal, cluster: Cluster, empty_database: str
) -> None:
    cluster.run('ALTER DATABASE :"name" OWNER TO leadflood_owner', name=empty_database)
    url = cluster.url(empty_database, "leadflood_owner")
    first = terminal.run("migrate", database_url=url)
    assert first.returncode == 0, first.stderr
    assert f"Schema created ({head()})." in first.stdout
    assert "Queue installed." in first.stdout

    again = terminal.run("migrate", database_url=url)
    assert again.returncode == 0
    assert again.stdout.splitlines() == [f"Schema is up to date ({head()}).", "Queue is up to date."]


def test_an_older_release_leaves_a_newer_schema_alone_and_succeeds(
    terminal: Terminal, cluster: Cluster, empty_database: str
) -> None:
    cluster.drop_database(empty_database)
    cluster.create_database(empty_database, template=TEMPLATE)
    cluster.run("UPDATE leadflood.alembic_version SET version_num = '9999'", empty_database)

    for command in ("migrate", "prepare"):
        done = terminal.run(command, database_url=cluster.url(empty_database, "leadflood_owner"))

        assert done.returncode == 0, done.stderr
        newer = f"The schema (9999) is newer than this release ({head()}) and compatible with it. Nothing to do."
        # `up` prints the output of `prepare` last, so that the summary is not part of it.
        assert newer in (done.stdout if command == "migrate" else done.stderr)
    assert cluster.run("SELECT version_num FROM leadflood.alembic_version", empty_database) == "9999"


def test_a_data_folder_that_cannot_be_used_is_named_with_the_remedy(terminal: Terminal, tmp_path: Path) -> None:
    """Root passes all permissions, so what nobody may do stands in for a read-only disk: a folder's name in use."""
    (tmp_path / "file").touch()
    (tmp_path / "locked" / "lock").mkdir(parents=True)
    homes = {tmp_path / "file": "not a folder", tmp_path / "file" / "home": "", tmp_path / "locked": "Is a directory"}
    if os.geteuid() != 0:
        (tmp_path / "closed").mkdir(mode=0o500)
        homes |= {tmp_path / "closed": "Permission denied", tmp_path / "closed" / "home": "Permission denied"}

    for home, reason in homes.items():
        done = terminal.run("up", "--port", "0", home=str(home), database_url="")

        assert done.returncode in {1, 3}, (home, done.stderr)
        assert reason in done.stderr
        assert "LEADFLOOD_HOME" in done.stderr or "Check the path" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_demo_is_refused_in_production_and_on_an_open_address(terminal: Terminal) -> None:
    for argv in (["seed"], ["up", "--demo"]):
        done = terminal.run(*argv, env="production")
        assert done.returncode == 1
        assert "LEADFLOOD_ENV" in done.stderr

    done = terminal.run("up", "--demo", "--host", "0.0.0.0")  # noqa: S104  it is refused
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr


def test_a_port_that_is_taken_is_told_before_anything_starts(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for command in ("up", "serve"):
            done = terminal.run(command, "--port", port)
            assert done.returncode == 1
            assert port in done.stderr
            assert "Starting" not in done.stderr


def test_the_doctor_names_the_versions_that_run(terminal: Terminal, cluster: Cluster) -> None:
    _, found = checks(terminal)

    assert f"PostgreSQL {cluster.run('SHOW server_version').split()[0]}, " in found["database"]["detail"]
    assert f"Python {platform.python_version()}" == found["python"]["detail"]


def test_the_doctor_names_what_is_wrong_with_a_remedy(terminal: Terminal) -> None:
    code, found = checks(terminal, prot="5051")

    assert code == 1
    assert "LEADFLOOD_PROT" in found["settings"]["detail"]
    assert "LEADFLOOD_PORT" in found["settings"]["remedy"]
    assert [found[name]["ok"] for name in ("database", "database role", "schema", "queue")] == [True] * 4

    code, found = checks(terminal, database_url=f"postgresql://leadflood_app@127.0.0.1:{free_port()}/leadflood")
    assert code == 1
    assert not found["database"]["ok"]
    assert found["database"]["remedy"]


async def test_the_doctor_warns_of_a_proxy_whose_word_is_ignored(terminal: Terminal, database: Database) -> None:
    async with database.system() as tx:
        await store_warning(tx, UNTRUSTED_PROXY, "10.1.2.3")

    _, ignored = checks(terminal)
    _, trusted = checks(terminal, trusted_proxies="10.1.0.0/16, ::1")
    async with database.system() as tx:
        await store_warning(tx, UNTRUSTED_PROXY, "8.8.4.4")  # a caller who made the header up
    _, stranger = checks(terminal)

    assert [each["proxy"]["ok"] for each in (ignored, trusted, stranger)] == [False, True, True]
    assert "10.1.2.3" in ignored["proxy"]["detail"]
    assert "LEADFLOOD_TRUSTED_PROXIES" in ignored["proxy"]["remedy"]


def test_the_doctor_tells_a_database_that_was_never_migrated(
    terminal: Terminal, cluster: Cluster, empty_database: str
) -> None:
    code, found = checks(terminal, database_url=cluster.url(empty_database, APP_ROLE))

    assert code == 1
    assert not found["schema"]["ok"]
    assert "leadflood migrate" in found["schema"]["remedy"]


async def test_the_doctor_sees_dead_letters_and_leads_that_nobody_works_on(
    terminal: Terminal, worker: Running, database: Database
) -> None:
    actor = Actor.cli(terminal.workspace_id)
    ended = sql("UPDATE job_executions SET status = 'failed', finished_at = now() WHERE id = :id")
    dead = sql("UPDATE outbox_events SET status = 'dead_letter' WHERE job_id = :id")
    async with database.transaction(terminal.workspace_id) as tx:
        command = CreateLead.model_validate({"email": "ada@acme.com"})
        made = await leads.create_lead(tx, actor, command=command, trace={})
        await tx.execute(ended, {"id": made.job_id})
        await tx.execute(dead, {"id": made.job_id})
    try:
        code, found = checks(terminal)
        assert code == 1
        assert found["workers"]["ok"]
        assert str(terminal.workspace_id) in found["undelivered events"]["detail"]
        assert str(made.lead_id) in found["invariant"]["detail"]
    finally:
        async with database.transaction(terminal.workspace_id) as tx:
            await tx.execute(sql("UPDATE leads SET status = 'failed' WHERE id = :id"), {"id": made.lead_id})
            await tx.execute(sql("UPDATE outbox_events SET status = 'sent' WHERE job_id = :id"), {"id": made.job_id})
