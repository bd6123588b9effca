"""The nemesis: kills what is up, at random moments, and starts it again as an orchestrator does."""

import os
import signal
from collections import Counter
from dataclasses import dataclass
from random import Random

from tests.support.deployment import Deployment
from tests.support.history import History, Outcome
from tests.support.journeys import pause
from tests.support.processes import Running
from tests.support.server_faults import kill_backend, kill_postmaster

KINDS = ("api", "worker", "backend", "postmaster")
SHORTEST, LONGEST = 0.2, 1.2
"""Seconds between two faults."""
MIN_ACKNOWLEDGED = 3
"""Leads a kill: fewer would mean that the faults hit an idle system."""


@dataclass
class Slot:
    """A place for one process, and who is in it now."""

    command: str
    running: Running

    @property
    def up(self) -> bool:
        """Whether it serves: a process that is still starting cannot lose anything."""
        word = "api.started" if self.command == "serve" else "worker.started"
        return self.running.process.poll() is None and word in self.running.output


class Nemesis:
    """One API, two workers and a PostgreSQL under attack."""

    def __init__(self, deployment: Deployment, history: History, seed: int) -> None:
        self.kills: Counter[str] = Counter()
        self.deserters: list[str] = []
        """Processes that were up and ended although nobody killed them."""
        self._deployment = deployment
        self._history = history
        self._random = Random(seed)  # noqa: S311  a run can be repeated by its seed
        self._slots = [Slot(command, self._start(command)) for command in ("serve", "worker", "worker")]
        self.wait_until_up()

    def wait_until_up(self) -> None:
        """Start what is missing, and wait until all of it serves."""
        while not all(slot.up for slot in self._slots):
            self._revive()
            pause(0.1)

    def rage(self, kills: int) -> None:
        """Break things `kills` times, each time one of those that are up, and each kind as often as others.

        Every second fault comes when leads have been acknowledged again, the others while all may be down.
        """
        turns: list[str] = []
        while self.kills.total() < kills:
            pause(self._random.uniform(SHORTEST, LONGEST))
            self._revive()
            if not turns:
                turns = self._random.sample(KINDS, len(KINDS))
            if self._strike(turns[-1]):
                self.kills[turns[-1]] += 1
                self._history.note("kill", of=turns.pop())
                if self.kills.total() % 2 == 0:
                    self._wait_for_work(MIN_ACKNOWLEDGED * self.kills.total())

    def _wait_for_work(self, acknowledged: int) -> None:
        while len(self._history.of(Outcome.OK)) < acknowledged:
            self._revive()
            pause(0.1)

    def stop(self) -> list[int]:
        """Stop everything in the ordinary way; the exit codes."""
        return [slot.running.stop(signal.SIGTERM) for slot in self._slots]

    def _strike(self, name: str) -> bool:
        server = self._deployment.cluster.server
        if name == "postmaster":
            kill_postmaster(server)
            server.start()
            return True
        if name == "backend":
            assert server._process is not None
            return kill_backend(server._process.pid, self._random) is not None
        victims = [slot for slot in self._slots if slot.up and slot.command == ("serve" if name == "api" else name)]
        if not victims:
            return False
        victim = self._random.choice(victims)
        os.kill(victim.running.pid, signal.SIGKILL)
        victim.running.clean_up()
        victim.running = self._start(victim.command)
        return True

    def _revive(self) -> None:
        """Whoever ends while starting, because the database is away just then, is started again."""
        for slot in self._slots:
            if slot.running.process.poll() is not None:
                said = slot.running.output
                if "api.started" in said or "worker.started" in said:
                    self.deserters.append(f"{slot.command} ended by itself: {said[-2000:]}")
                slot.running.clean_up()
                slot.running = self._start(slot.command)

    def _start(self, command: str) -> Running:
        return self._deployment.installation.start(command)
