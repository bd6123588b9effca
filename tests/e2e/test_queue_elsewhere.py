"""The queue on another server than the leads, and that server away for a while: no lead is refused, none forgotten."""

import asyncio
from collections.abc import Iterator

import pytest

from leadflood.kernel.db.migrate import install_queue
from leadflood.kernel.ids import new_id
from tests.conftest import TEMPLATE
from tests.support.deployment import Deployment, deployed
from tests.support.journeys import Added, add_lead, events_of_job, followed, job, lead, wait_until
from tests.support.postgres import Cluster, temporary_cluster, temporary_home

HURRY = "UPDATE outbox_events SET next_attempt_at = now() WHERE status = 'failed'"


@pytest.fixture(scope="module")
def queue() -> Iterator[Cluster]:
    """The other server."""
    with temporary_cluster() as started:
        asyncio.run(install_queue(started.url()))
        yield started


@pytest.fixture
def elsewhere(cluster: Cluster, queue: Cluster) -> Iterator[Deployment]:
    """A deployment whose queue lives on the other server."""
    name = f"e2e_{new_id().hex}"
    cluster.create_database(name, template=TEMPLATE)
    with temporary_home() as folder:
        with deployed(cluster, name, folder, queue_database_url=queue.url()) as prepared:
            yield prepared
            prepared.assert_sound()
        prepared.assert_nothing_left()
    cluster.drop_database(name)


def test_a_lead_is_accepted_while_the_queues_server_is_away_and_enriched_when_it_is_back(
    elsewhere: Deployment, queue: Cluster
) -> None:
    api, worker = elsewhere.start_api(), elsewhere.start_worker()
    client = elsewhere.client()
    ada = add_lead(client, "ada.lovelace@acme.com")
    assert followed(client, ada)[0][-1] == "enriched"
    assert [event["status"] for event in events_of_job(client, ada)] == ["sent"]
    assert elsewhere.count("SELECT count(*) FROM leadflood_queue.tickets") == 0

    queue.server.stop()
    grace = add_lead(client, "grace.hopper@acme.com")
    for attempts in (1, 2):
        wait_until(lambda attempts=attempts: failed_event(elsewhere, grace)["attempts"] >= attempts)  # type: ignore[misc]
        elsewhere.sql(HURRY)
    assert failed_event(elsewhere, grace)["lastError"]
    assert (lead(client, grace)["status"], job(client, grace)["status"]) == ("new", "queued")
    unready = client.get("/ready")
    assert unready.status_code == 503
    assert [check["name"] for check in unready.json()["checks"] if not check["ok"]] == ["queue"]

    queue.server.start()
    assert followed(client, grace)[0][-1] == "enriched"
    assert [event["status"] for event in events_of_job(client, grace)] == ["sent"]
    wait_until(lambda: client.get("/ready").status_code == 200)
    assert [api.stop(), worker.stop()] == [0, 0]


def failed_event(deployment: Deployment, added: Added) -> dict[str, object]:
    """The event of a job that could not be published; without attempts while a relay holds it."""
    [event] = events_of_job(deployment.client(), added)
    return event if event["status"] == "failed" else {**event, "attempts": 0}
