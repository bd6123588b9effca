"""A worker with nothing to do does next to nothing."""

from collections import Counter
from collections.abc import Sequence

from leadflood.domains.jobs.events import Schedule
from leadflood.kernel.queue.ports import QueueBackend, QueueMessage
from tests.support.jobs import Jobs, Workers, Wrapped, completes
from tests.support.statements import heard
from tests.support.waiting import eventually, until

ROUNDS = 20
"""Looks of the relay: it and rescue and consumer look once each poll interval."""
QUIET = 5
"""Looks in a row that must find nothing before counting starts: other tests leave events to send and leases to end."""

LOOPS = ("relay", "rescue", "remind", "release", "suspects")
OTHERS = ("transaction", "commit", "bell", "presence", "schedules", "driver")


class Counted(Wrapped):
    """A queue that counts how often it is asked."""

    def __init__(self, queue_backend: QueueBackend) -> None:
        super().__init__(queue_backend)
        self.asked: Counter[str] = Counter()

    async def receive(self, kinds: Sequence[str], limit: int) -> Sequence[QueueMessage]:
        self.asked["receive"] += 1
        return await super().receive(kinds, limit)

    async def wait(self, kinds: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109  as the port
        self.asked["wait"] += 1
        await super().wait(kinds, timeout)


def purpose(statement: str) -> str:
    """The loop that a statement belongs to."""
    signs = {
        "outbox_events e\nSET status = 'processing'": "relay",
        "lease_expires_at < now()": "rescue",
        "losses >= 2 AND next_attempt_at": "suspects",
        "SET next_attempt_at = now(), on_hold = false\nFROM": "remind",
        "SET on_hold = false, next_attempt_at": "release",
        "schedules": "schedules",
        "INSERT INTO outbox_events": "schedules",  # one came due
        "INSERT INTO leadflood_queue.tickets": "schedules",
        "INSERT INTO job_executions": "schedules",
        "worker_processes": "presence",
        "BEGIN": "transaction",
        "COMMIT": "commit",
        "pg_notify": "bell",
        "typeinfo_tree": "driver",  # on a new connection
        "set_config('jit'": "driver",
    }
    return next((name for sign, name in signs.items() if sign in statement), statement)


async def settle_what_others_left(jobs: Jobs) -> None:
    """Leases of other tests end now, and their events that are tried again later do not come due while we count."""
    await jobs.change("UPDATE job_executions SET lease_expires_at = now() WHERE status = 'running'")
    await jobs.change("UPDATE outbox_events SET next_attempt_at = now() + interval '1 hour' WHERE status <> 'sent'")


async def test_an_idle_worker_asks_each_question_once_a_poll_interval(jobs: Jobs, workers: Workers) -> None:
    asked: Counter[str] = Counter()
    counted: list[Counted] = []

    def wrap(queue_backend: QueueBackend) -> QueueBackend:
        counted.append(Counted(queue_backend))
        return counted[0]

    await settle_what_others_left(jobs)
    schedules = [Schedule(jobs.kind, 3600.0)]
    running = await workers.start(jobs.registry(completes()), schedules=schedules, wrap=wrap, poll_interval_seconds=0.1)

    async def settled() -> bool:
        sql = "SELECT count(*) FROM job_executions WHERE kind = :k AND status = 'completed'"
        return await jobs.rows(sql, k=jobs.kind.name) == [(1,)]

    async def quiet() -> bool:
        asked.clear()
        await until(lambda: asked["relay"] >= QUIET)
        return not asked["schedules"]

    await eventually(settled)
    with heard(running.pool, lambda statement: asked.update([purpose(statement)])):
        await eventually(quiet)
        asked.clear()
        (queue,) = counted
        queue.asked.clear()

        await until(lambda: asked["relay"] >= ROUNDS)
    most = 2 * asked["relay"]
    assert asked.keys() <= {*LOOPS, *OTHERS}
    assert max(asked["rescue"], asked["suspects"]) <= most
    assert asked["remind"] <= asked["rescue"] + 1
    assert asked["release"] <= asked["rescue"] + 1
    assert asked["transaction"] <= sum(asked[name] for name in LOOPS) + 8
    assert asked["presence"] <= 2
    assert asked["signals"] <= asked["presence"] + asked["schedules"] + 1
    assert asked["schedules"] <= 5
    assert queue.asked["receive"] <= most
    assert queue.asked["wait"] <= most
