"""The power fails while leads come in: everything that was answered with 201 is there when it is back.

`kill -9` cannot show this, because the kernel keeps what a killed process wrote. So the checker itself is tested too:
with a PostgreSQL that does not wait for the disk it must find lost leads.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest

from leadflood.kernel.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from leadflood.kernel.db.provision import DATABASE
from tests.support.deployment import Deployment, deployed, prepare
from tests.support.history import History, Outcome, Writers, resolve
from tests.support.journeys import wait_until
from tests.support.judge import judge, lost, wait_for_ends
from tests.support.postgres import Cluster, temporary_home
from tests.support.power import Disk, PowerlessMachine

pytestmark = pytest.mark.long

CUTS = 10
LEADS_A_CUT = 500
PATIENCE = 300


@contextmanager
def on_a_disk(settings: Mapping[str, str]) -> Iterator[tuple[Disk, Deployment]]:
    with temporary_home() as folder, temporary_home() as elsewhere:
        server = EmbeddedPostgres(folder / "home", settings=settings)
        server.start()
        prepare(Cluster(server))
        server.stop()
        with ExitStack() as stack:
            try:
                disk = stack.enter_context(Disk(folder / "disk.img", server))
            except PowerlessMachine as reason:
                pytest.fail(str(reason))
            server.start()
            with deployed(Cluster(server), DATABASE, elsewhere) as deployment:
                deployment.start_api()
                deployment.start_worker()
                yield disk, deployment
            deployment.assert_nothing_left()


def cut_under_load(disk: Disk, deployment: Deployment, history: History, seed: int) -> None:
    target = len(history.of(Outcome.OK)) + LEADS_A_CUT
    with Writers(deployment, history, seed):
        wait_until(lambda: len(history.of(Outcome.OK)) >= target, PATIENCE)
        disk.cut()
    client = deployment.client()
    wait_until(lambda: client.get("/ready").status_code == 200)


def test_no_acknowledged_lead_is_lost_when_the_power_fails(history: History, seed: int) -> None:
    with on_a_disk({}) as (disk, deployment):
        for number in range(CUTS):
            cut_under_load(disk, deployment, history, seed + number)
            assert lost(deployment, history) == []
        acknowledged = len(history.of(Outcome.OK))
        resolve(deployment, history)
        wait_for_ends(deployment, PATIENCE)
        print(f"cuts {CUTS}, acknowledged {acknowledged}, lost 0, answers {dict(history.answers)}")  # noqa: T201  the figures
        assert judge(deployment, history) == []


@pytest.mark.parametrize("careless", ["fsync", "synchronous_commit"])
def test_the_cut_finds_lost_leads_where_postgresql_does_not_wait_for_the_disk(
    history: History, seed: int, careless: str
) -> None:
    with on_a_disk({careless: "off"}) as (disk, deployment):
        try:
            cut_under_load(disk, deployment, history, seed)
        except EmbeddedPostgresError:
            return  # nothing is left that PostgreSQL could start from
        missing = lost(deployment, history)
        print(f"acknowledged {len(history.of(Outcome.OK))}, lost {len(missing)}")  # noqa: T201  the figures
        assert missing
