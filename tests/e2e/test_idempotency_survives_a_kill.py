"""Between COMMIT and answer: the one moment in which a client cannot know, and for which it has its Idempotency-Key."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from leadflood.kernel.db.roles import APP_ROLE
from tests.support.commit_proxy import CommitProxy
from tests.support.deployment import Deployment
from tests.support.journeys import pause
from tests.support.postgres import temporary_home

MARKER = "in-doubt"
CUTS, MANY_CUTS = 40, 200
KILLS, MANY_KILLS = 2, 8
AT_ONCE = 6


@pytest.fixture
def proxy(deployment: Deployment) -> Iterator[CommitProxy]:
    with (
        temporary_home() as folder,
        CommitProxy(folder, deployment.cluster.server.socket_dir, MARKER.encode()) as between,
    ):
        yield between


def post(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/v1/leads", json={"email": f"{name}@acme.com"}, headers={"Idempotency-Key": name})


def require_one_lead(deployment: Deployment, client: httpx.Client, names: list[str], *, committed: set[str]) -> None:
    """Sent again, each key gets the answer that was lost, always the same, and has had one effect."""
    for name in names:
        first, second = post(client, name), post(client, name)
        assert (first.status_code, second.status_code) == (201, 201), first.text
        assert (first.headers.get("Idempotency-Replayed") == "true") == (name in committed)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert first.content == second.content
        assert (
            deployment.sql("SELECT id FROM leads WHERE email_norm = :'email'", email=f"{name}@acme.com")
            == (first.json()["leadId"])
        )


@pytest.mark.parametrize("cuts", [CUTS, pytest.param(MANY_CUTS, marks=pytest.mark.long)])
def test_a_lost_reply_to_commit_is_answered_with_503_and_the_same_key_finds_the_one_lead(
    deployment: Deployment, proxy: CommitProxy, cuts: int
) -> None:
    api = deployment.start_api(database_url=proxy.url(APP_ROLE, deployment.database))
    client = deployment.client()
    names = [f"{MARKER}-{number}" for number in range(cuts)]
    for name in names:
        proxy.mode = "cut"
        answer = post(client, name)
        assert answer.status_code == 503, "a 2xx left before the COMMIT was known to be on disk"
        assert answer.headers["Retry-After"]
        proxy.mode = "pass"
        again = post(client, name)
        assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (201, "true")
    assert proxy.cuts == cuts
    assert deployment.count("SELECT count(*) FROM leads") == cuts
    require_one_lead(deployment, client, names[:10], committed=set(names))
    assert api.stop() == 0


def test_no_answer_leaves_before_the_commit_is_known_to_be_on_disk(deployment: Deployment, proxy: CommitProxy) -> None:
    api = deployment.start_api(database_url=proxy.url(APP_ROLE, deployment.database))
    proxy.mode = "hold"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(post, deployment.client(), f"{MARKER}-held")
        proxy.held.acquire()
        pause(0.3)
        assert not answer.done()
        proxy.let_go.set()
        assert answer.result().status_code == 201
    assert api.stop() == 0


@pytest.mark.parametrize("kills", [KILLS, pytest.param(MANY_KILLS, marks=pytest.mark.long)])
def test_leads_exist_once_however_often_the_api_is_killed_between_their_commit_and_the_answers(
    deployment: Deployment, proxy: CommitProxy, kills: int
) -> None:
    for kill in range(kills):
        names = [f"{MARKER}-{kill}-{number}" for number in range(AT_ONCE)]
        proxy.mode = "hold"
        proxy.let_go.clear()
        api = deployment.start_api(database_url=proxy.url(APP_ROLE, deployment.database))
        client = deployment.client()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            first = pool.submit(post, client, names[0])
            proxy.held.acquire()
            others = [pool.submit(post, client, name) for name in names[1:]]
            pause(0.3)  # they wait for the transaction before, and share the next one
            proxy.let_go.set()
            proxy.let_go.clear()
            proxy.held.acquire()
            committed = {name for name in names[1:] if f"{name}@".encode() in proxy.sent}  # on a busy machine not all
            os.kill(api.pid, signal.SIGKILL)
            assert [type(answer.exception()) for answer in others] == [httpx.RemoteProtocolError] * (AT_ONCE - 1)
        assert first.result().status_code == 201
        proxy.let_go.set()
        proxy.mode = "pass"
        api.wait()

        again = deployment.start_api()
        assert committed
        require_one_lead(deployment, deployment.client(), names, committed={names[0], *committed})
        assert again.stop() == 0
    assert deployment.count("SELECT count(*) FROM leads") == kills * AT_ONCE
