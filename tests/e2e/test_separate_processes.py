"""`migrate`, `seed`, `serve` and `worker` apart, on a PostgreSQL of somebody else's: the same start as with `up`."""

import signal
from pathlib import Path

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser as Html

from leadflood.kernel.crypto import new_secret_key
from leadflood.kernel.db.provision import OWNER
from leadflood.kernel.db.roles import APP_ROLE
from tests.support.postgres import Cluster
from tests.support.processes import Installation

DATABASE = "managed"
WANTED = {"name": "Grace", "email": "grace@acme.test", "workspace": "Acme", "password": "seven purple walruses"}
LINK = "Set it up in the browser: "


@pytest.fixture
def managed(cluster: Cluster, tmp_path: Path) -> Installation:
    """Settings that name an empty database."""
    cluster.drop_database(DATABASE)
    cluster.run(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    return Installation(
        tmp_path / "home",
        secret_key=new_secret_key(),
        database_url=cluster.url(DATABASE, APP_ROLE),
        migrate_database_url=cluster.url(DATABASE, OWNER),
        job_lease_seconds="3",
        poll_interval_seconds="1",
    )


def test_a_migrated_database_is_served_with_a_link_for_the_first_owner_and_seeded(managed: Installation) -> None:
    with managed:
        migrated = managed.run("migrate")
        assert migrated.returncode == 0, migrated.stderr

        api = managed.start("serve", "--port", str(managed.port))
        link = api.wait_for(LINK).split()[-1]
        assert link.startswith(f"{managed.url}/first-run/lff_")
        api.wait_for("api.started")
        assert "Password" not in api.output
        fresh = managed.run("user", "first-run").stdout.split(LINK)[1].split()[0]
        with httpx.Client(trust_env=False) as client:
            page = client.get(fresh)
            field = Html(page.text).css_first("input[name=csrf]")
            cookie = page.headers["Set-Cookie"].partition(";")[0]  # a browser keeps it; httpx wants https for that
            assert field is not None
            form = {**WANTED, "csrf": field.attributes["value"]}
            entered = client.post(fresh, data=form, headers={"Cookie": cookie})
            assert (entered.status_code, entered.headers["Location"]) == (303, "/")
            assert client.get(link).status_code == 404
        refused = managed.run("user", "first-run")
        assert (refused.returncode, "set-password" in refused.stderr) == (1, True)
        assert api.stop(signal.SIGTERM) == 0

        again = managed.start("serve", "--port", str(managed.port))
        again.wait_for("api.started")
        assert LINK not in again.output

        worker = managed.start("worker")
        seeded = managed.run("seed", "--leads", "2", "--wait")
        assert seeded.returncode == 0, seeded.stderr
        managed.login("demo@leadflood.local", "demo-flood-2026")
        assert managed.run("seed", env="production").returncode == 1
        assert (again.stop(signal.SIGTERM), worker.stop(signal.SIGTERM)) == (0, 0)

        production = managed.start("serve", "--port", str(managed.port), env="production")
        assert production.wait() == 1
        assert "leadflood user set-password demo@leadflood.local" in production.output


def test_seeding_a_database_that_only_was_migrated_makes_the_workspace(managed: Installation) -> None:
    with managed:
        assert managed.run("migrate").returncode == 0
        seeded = managed.run("seed", "--leads", "1")
        assert seeded.returncode == 0, seeded.stderr
        assert "Created 1 sample lead." in seeded.stdout
        assert "Sample data already loaded." in managed.run("seed", "--leads", "1").stdout
        assert len(managed.run("workspace", "list", "--json").stdout.splitlines()) == 1
