"""A small keep-alive client."""

import http.client
import json
import queue
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from leadflood.kernel.clock import monotonic
from leadflood.kernel.ids import new_id

POLL_SECONDS = 0.005
PATIENCE = 30.0
_PIECE = 1024 * 1024


def repeated(call: Callable[[], Iterable[float]], *, seconds: float, pause: float) -> list[float]:
    """Results of `call`, repeated for `seconds` with a pause of `pause` seconds after each call."""
    times: list[float] = []
    resting = threading.Event()
    end = monotonic() + seconds
    while monotonic() < end:
        times += call()
        resting.wait(pause)
    return times


class Refused(RuntimeError):
    """An answer that a benchmark must not get."""


class Client:
    """One connection, for one thread."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE, blocksize=_PIECE)
        self._connection.connect()
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def create_lead(self) -> str:
        """POST a lead that nobody has; returns the id of its job. Raises: Refused."""
        email = f"bench-{new_id().hex}@example.com"
        lead = {"firstName": "Ada", "lastName": "Lovelace", "email": email, "source": "bench"}
        return str(self.call("POST", "/v1/leads", lead)["jobId"])

    def job_status(self, job_id: str) -> str:
        """The state of a job. Raises: Refused."""
        return str(self.call("GET", f"/v1/jobs/{job_id}")["status"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def call(self, method: str, path: str, body: object = None, *, expected: int | None = None) -> Any:  # noqa: ANN401
        """The JSON of an answer. Raises: Refused: when its status is not `expected`, or none of success."""
        content = None if body is None else json.dumps(body).encode()
        return json.loads(self.request(method, path, content, self._headers, expected))

    def upload(self, path: str, file: Path) -> Any:  # noqa: ANN401  JSON
        """POST a file as it is. Raises: Refused."""
        headers = {**self._headers, "Content-Type": "text/csv", "Content-Length": str(file.stat().st_size)}
        with file.open("rb") as body:
            return json.loads(self.request("POST", path, body, headers, None))

    def download(self, path: str) -> tuple[int, float]:
        """Number of bytes in the body of a GET, and the seconds until the first arrived. Raises: Refused."""
        started = monotonic()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        size = len(self._accepted(answer, f"GET {path}", None).read(1))
        first = monotonic() - started
        while piece := answer.read(_PIECE):
            size += len(piece)
        return size, first

    def request(
        self, method: str, path: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str], expected: int | None
    ) -> bytes:
        """The body of an answer. Raises: Refused."""
        self._connection.request(method, path, body, dict(headers))
        return self._accepted(self._connection.getresponse(), f"{method} {path}", expected).read()

    @staticmethod
    def _accepted(answer: http.client.HTTPResponse, asked: str, expected: int | None) -> http.client.HTTPResponse:
        if answer.status == expected or (expected is None and 200 <= answer.status < 300):
            return answer
        raise Refused(f"{asked} answered {answer.status}: {answer.read()[:500]!r}")


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
