"""PostgreSQL stopped, killed or missing a backend: API and workers live on, say so, and pick up where they were."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from leadflood.domains.identity.models import FIRST_OWNER_EMAIL, FirstRun
from leadflood.kernel.db.embedded import EmbeddedPostgres
from leadflood.kernel.db.provision import DATABASE
from tests.support.deployment import QUICK, Deployment, deployed, left_over, prepare
from tests.support.examples import NIGHTLY
from tests.support.history import History, Outcome, Writers, resolve
from tests.support.journeys import wait_until
from tests.support.judge import judge, wait_for_ends
from tests.support.postgres import Cluster, temporary_cluster, temporary_home
from tests.support.processes import Installation, gone
from tests.support.server_faults import kill_backend, kill_postmaster

BACKEND_KILLS = 20 if NIGHTLY else 2
STEP = 10


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = History(tmp_path / "history.jsonl")
    yield opened
    opened.close()


def wait_for_more(history: History) -> None:
    target = len(history.of(Outcome.OK)) + STEP
    wait_until(lambda: len(history.of(Outcome.OK)) >= target)


def survives(
    deployment: Deployment, history: History, seed: int, fault: Callable[[], None], repair: Callable[[], None]
) -> None:
    """Break it under load and repair it: in between nothing but 503, as `/ready` says too; afterwards all is well."""
    client = deployment.client()
    with Writers(deployment, history, seed):
        wait_for_more(history)
        fault()
        wait_until(lambda: client.get("/ready").status_code == 503)
        assert client.get("/health").status_code == 200
        repair()
        wait_until(lambda: client.get("/ready").status_code == 200)
        wait_for_more(history)
    assert set(history.answers) == {"201", "503"}


def require_nothing_lost(deployment: Deployment, history: History) -> None:
    resolve(deployment, history, sample=50)
    wait_for_ends(deployment)
    assert judge(deployment, history) == []


@pytest.fixture
def own_server() -> Iterator[Cluster]:
    """A server that the test may break: durable, or a kill would lose what it has acknowledged."""
    with temporary_cluster(settings={}) as started:
        prepare(started)
        yield started


def test_a_restart_of_an_external_server_ends_no_process_and_loses_nothing(
    own_server: Cluster, history: History
) -> None:
    with temporary_home() as folder:
        with deployed(own_server, DATABASE, folder) as deployment:
            api, worker = deployment.start_api(), deployment.start_worker()
            survives(deployment, history, 1, own_server.server.stop, own_server.server.start)
            survives(deployment, history, 2, lambda: kill_postmaster(own_server.server), own_server.server.start)
            lose_backends(deployment, own_server, history)
            assert not gone(api.pid)
            assert not gone(worker.pid)
            require_nothing_lost(deployment, history)
            assert [api.stop(), worker.stop()] == [0, 0]
        assert left_over(folder / "home") == []


def lose_backends(deployment: Deployment, cluster: Cluster, history: History) -> None:
    """Each kill of a backend ends all other connections too."""
    random = Random(3)  # noqa: S311  repeatable
    postmaster = cluster.server._process
    assert postmaster is not None
    client = deployment.client()
    with Writers(deployment, history, seed=3):
        for _ in range(BACKEND_KILLS):
            wait_for_more(history)
            assert kill_backend(postmaster.pid, random)
            wait_until(lambda: client.get("/ready").status_code == 200)
        wait_for_more(history)
    assert set(history.answers) == {"201", "503"}


def test_up_restarts_its_own_server_while_api_and_worker_live_on(history: History, home: Path) -> None:
    with Installation(home, **QUICK) as installation:
        up = installation.up()
        installation.wait_ready(up)
        workspace = UUID(up.wait_for("  Workspace  ").split()[-1])
        first = FirstRun(workspace, FIRST_OWNER_EMAIL, up.wait_for("  Password   ").split()[-1])
        token = json.loads(installation.run("key", "create", "test", *scopes(), "--json").stdout)["token"]
        cluster = Cluster(EmbeddedPostgres(home))
        deployment = Deployment(cluster, DATABASE, installation, first, token)
        up.wait_for("worker.started")
        before = up.pids()
        survives(deployment, history, 1, lambda: os.kill(before["postgres"], signal.SIGKILL), lambda: None)
        require_only_the_server_changed(before, up.pids())
        require_nothing_lost(deployment, history)
        assert up.stop() == 0
    assert left_over(home) == []


def scopes() -> list[str]:
    return [word for scope in ("leads:read", "leads:write") for word in ("--scope", scope)]


def require_only_the_server_changed(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    assert before["postgres"] != after["postgres"]
    assert {name: before[name] for name in ("api", "worker")} == {name: after[name] for name in ("api", "worker")}
