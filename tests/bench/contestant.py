"""A system under test: how its processes start, and where its jobs can be read."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from leadflood.kernel.clock import monotonic
from tests.support.postgres import Cluster
from tests.support.processes import until

START_SECONDS = 60.0
STOP_SECONDS = 40.0


class NotStarted(RuntimeError):
    """A process ended, or did not become ready in time; its last words are in the message."""


@dataclass(frozen=True)
class Contestant:
    """One system with its settings, on a database of its own.

    Its database has the views `bench.jobs` (created, started, finished: seconds since 1970; status) and
    `bench.workers` (a row for each worker that is ready).
    """

    name: str
    cluster: Cluster
    database: str
    folder: Path
    environment: Mapping[str, str]
    serve: Sequence[str]
    work: Sequence[str]
    port: int
    token: str
    clean_sql: str

    @property
    def address(self) -> str:
        """Base address of its API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Log file of its processes."""
        return self.folder / f"{self.database}.log"

    def last_words(self) -> str:
        """The end of what its processes printed."""
        return self.log.read_text(errors="replace")[-2000:]

    def called(self, name: str, **environment: str) -> "Contestant":
        """The same system under another name, with other settings."""
        return replace(self, name=name, environment={**self.environment, **environment})

    def clean(self) -> None:
        """Forget all leads and jobs, and leave no checkpoint for the next measurement to pay for."""
        self.sql(self.clean_sql)
        self.sql("CHECKPOINT")

    def sql(self, statement: str) -> str:
        """Run SQL as superuser; rows as `psql -At` prints them."""
        return self.cluster.run(statement, self.database)

    @contextmanager
    def api(self) -> Iterator[int]:
        """One API process that is ready; its process id."""
        with self._process(self.serve, self._answers) as pid:
            yield pid

    @contextmanager
    def worker(self) -> Iterator[int]:
        """One worker process that is ready; its process id."""
        with self._process(self.work, lambda: self.sql("SELECT count(*) FROM bench.workers") != "0") as pid:
            yield pid

    @contextmanager
    def starting_worker(self) -> Iterator[int]:
        """One worker process, not awaited; its process id."""
        with self._process(self.work, lambda: True) as pid:
            yield pid

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/ready", timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    @contextmanager
    def _process(self, command: Sequence[str], ready: Callable[[], bool]) -> Iterator[int]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=dict(self.environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = monotonic() + START_SECONDS
        try:
            until(lambda: process.poll() is not None or monotonic() > deadline or ready())
            if process.poll() is not None or monotonic() > deadline:
                raise NotStarted(f"{' '.join(command)} did not start. Its log ends with:\n{self.last_words()}")
            yield process.pid
        finally:
            _stop(process)


def inherited_environment() -> dict[str, str]:
    """The environment of this process without settings of any contestant."""
    foreign = ("LEADFLOOD_", "PG", "NODE_", "API_", "WORKER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
