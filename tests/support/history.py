"""Clients that add leads while things break, and the history that they leave behind.

A history says of every request that it was sent (`invoke`) and how it ended: `ok`, `fail` (nothing happened), or
`unknown`: a request whose answer was lost, or that met 503, may or may not have had its effect. Only sending it again
with the same Idempotency-Key tells (Jepsen's third outcome).
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.deployment import Deployment
from tests.support.waiting import PATIENCE, PAUSE

IDLE = 0.05
"""Seconds between two requests of a client."""
SULK = 0.2
"""Seconds that a client waits after a request without an answer."""
_RETRY_LATER = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CONFLICT)


class Outcome(StrEnum):
    """Outcome of a request as its client sees it. FAIL: it never reached a server, so it has no effect."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass
class Request:
    """A lead that a client wanted to add, under one Idempotency-Key, and what it knows of the outcome."""

    key: str
    email: str
    outcome: Outcome = Outcome.UNKNOWN
    body: bytes = b""
    reached: bool = False
    """Whether it may have arrived at a server at least once."""

    @property
    def lead_id(self) -> str | None:
        """The id that the answer named."""
        return str(json.loads(self.body)["leadId"]) if self.body else None


class History:
    """All requests of a run, in memory and, line by line, in a file that outlives a killed test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[Request] = []
        self.flaws: list[str] = []
        """Answers that nobody should get: 5xx other than 503, 503 without Retry-After, two answers to one key."""
        self.answers: Counter[str] = Counter()
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def invoke(self, key: str, email: str) -> Request:
        """A request is about to be sent for the first time."""
        request = Request(key, email)
        with self._lock:
            self.requests.append(request)
        self.note("invoke", key=key)
        return request

    def note(self, what: str, **details: Any) -> None:  # noqa: ANN401  any JSON
        """Write a line: of a request, or of a fault."""
        line = json.dumps({"at": round(time.time(), 3), "what": what, **details})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def answered(self, request: Request, answer: httpx.Response) -> None:
        """A request got an answer."""
        status, request.reached = answer.status_code, True
        self.answers[str(status)] += 1
        self.note("answer", key=request.key, status=status)
        if status == httpx.codes.CREATED:
            if request.body and request.body != answer.content:
                self.flaws.append(f"{request.key} got two answers: {request.body!r} and {answer.content!r}")
            request.outcome, request.body = Outcome.OK, answer.content
            return
        request.outcome = Outcome.UNKNOWN
        if status not in _RETRY_LATER or "retry-after" not in answer.headers:
            self.flaws.append(f"{request.key} got {status}: {answer.text}")

    def broke(self, request: Request, error: httpx.TransportError) -> None:
        """A request got no answer."""
        self.answers[type(error).__name__] += 1
        self.note("no answer", key=request.key, error=repr(error))
        refused = isinstance(error, httpx.ConnectError)
        request.outcome = Outcome.FAIL if refused and not request.reached else Outcome.UNKNOWN
        request.reached = request.reached or not refused

    def of(self, outcome: Outcome) -> list[Request]:
        """The requests that ended so."""
        return [request for request in self.requests if request.outcome is outcome]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def send(client: httpx.Client, history: History, request: Request) -> bool:
    """Send a request, for the first time or again. Returns whether it was answered with 201."""
    try:
        answer = client.post("/v1/leads", json={"email": request.email}, headers={"Idempotency-Key": request.key})
    except httpx.TransportError as error:
        history.broke(request, error)
        return False
    history.answered(request, answer)
    return answer.status_code == httpx.codes.CREATED


class Writers:
    """Threads that add leads as fast as a few busy forms, each to the servers at `ports`, the next one on trouble.

    The first `retries` times that a request is not answered with 201 it is sent again, with its key, to the next
    server; what is then still open stays so until `resolve`.
    """

    def __init__(
        self, deployment: Deployment, history: History, seed: int, *, ports: Sequence[int] = (), retries: int = 0
    ) -> None:
        self._deployment = deployment
        self._history = history
        self._ports = ports or (deployment.installation.port,)
        self._retries = retries
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(seed, number)) for number in range(4)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, seed: int, number: int) -> None:
        random = Random(seed * 31 + number)  # noqa: S311  a run can be repeated by its seed
        clients = [
            httpx.Client(
                base_url=f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {self._deployment.token}"},
                timeout=10,
                trust_env=False,
            )
            for port in self._ports
        ]
        turn, count = number, 0
        while not self._stop.is_set():
            count += 1
            name = f"{seed}-{number}-{count}"
            request = self._history.invoke(name, f"lead.{name}@acme.com")
            for _ in range(1 + self._retries):
                if send(clients[turn % len(clients)], self._history, request):
                    break
                turn += 1
            self._stop.wait((IDLE if request.outcome is Outcome.OK else SULK) * random.uniform(0.5, 1.5))
        for client in clients:
            client.close()


def resolve(deployment: Deployment, history: History, *, sample: int = 500) -> None:
    """Send again what is in doubt until it is done, and a sample of what is done, whose answers must not change."""
    client = deployment.client()
    for request in history.of(Outcome.UNKNOWN):
        deadline = time.monotonic() + PATIENCE
        while not send(client, history, request):
            assert time.monotonic() < deadline, f"{request.key} is still refused: {history.flaws[-1:]}"
            time.sleep(PAUSE)
    known = history.of(Outcome.OK)
    for request in known[:: max(1, len(known) // sample)]:
        assert send(client, history, request), f"{request.key} was answered with 201 and is now refused"
