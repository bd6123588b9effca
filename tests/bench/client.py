"""A small keep-alive client of the two operations that every contestant has."""

import http.client
import json
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from leadflood.kernel.clock import monotonic
from leadflood.kernel.ids import new_id

POLL_SECONDS = 0.005
PATIENCE = 30.0


class Refused(RuntimeError):
    """An answer that a benchmark must not get."""


class Client:
    """One connection, for one thread."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._connection.connect()
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def create_lead(self) -> str:
        """POST a lead that nobody has; returns the id of its job. Raises: Refused."""
        email = f"bench-{new_id().hex}@example.com"
        lead = {"firstName": "Ada", "lastName": "Lovelace", "email": email, "source": "bench"}
        return str(self._call("POST", "/v1/leads", json.dumps(lead).encode())["jobId"])

    def job_status(self, job_id: str) -> str:
        """The state of a job. Raises: Refused."""
        return str(self._call("GET", f"/v1/jobs/{job_id}", None)["status"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _call(self, method: str, path: str, body: bytes | None) -> Any:  # noqa: ANN401  JSON
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if not 200 <= answer.status < 300:
            raise Refused(f"{method} {path} answered {answer.status}: {content[:500]!r}")
        return json.loads(content)


def create_leads(port: int, token: str, *, leads: int, connections: int) -> None:
    """POST `leads` leads over several connections. Raises: Refused."""
    tickets: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(leads):
        tickets.put(None)

    def post() -> None:
        client = Client(port, token)
        try:
            while True:
                tickets.get_nowait()
                client.create_lead()
        except queue.Empty:
            client.close()

    _all_of(post for _ in range(connections))


def _all_of(calls: Iterable[Callable[[], None]]) -> None:
    work = list(calls)
    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(call) for call in work]:
            done.result()


def follow_lead(port: int, token: str) -> dict[str, float]:
    """Milliseconds from sending a POST until its answer, until its job is seen not `queued`, and `completed`.

    Raises: Refused: also when the job fails, or takes longer than half a minute.
    """
    client = Client(port, token)
    started = monotonic()
    job_id = client.create_lead()
    times = {"posted": monotonic() - started}
    pause = threading.Event()
    while "completed" not in times:
        status = client.job_status(job_id)
        now = monotonic() - started
        if status != "queued":
            times.setdefault("picked", now)
        if status == "completed":
            times["completed"] = now
        elif status == "failed" or now > PATIENCE:
            raise Refused(f"The job is {status} after {now:.1f} s.")
        else:
            pause.wait(POLL_SECONDS)
    client.close()
    return {name: seconds * 1000 for name, seconds in times.items()}
