"""Checks of the API's dependencies, for `/ready` and `/metrics`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal, TypeVar

from pydantic import ConfigDict, Field

from leadflood.domains.jobs import queries
from leadflood.domains.jobs.contracts import SystemStatus
from leadflood.kernel.clock import monotonic
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.migrate import REVISION, head
from leadflood.kernel.db.writability import Writability
from leadflood.kernel.errors import Unavailable
from leadflood.kernel.queue.ports import QueueBackend, QueueDepth
from leadflood.kernel.schema import View

T = TypeVar("T")

_DEPTH_SECONDS = 5.0


class ReadinessCheck(View):
    """A readiness check."""

    name: Literal["database", "migrations", "writes", "queue"]
    ok: bool
    detail: str | None = Field(None, description="What failed and how to fix it; null if the check passed.")


class Readiness(View):
    """Readiness of the server, with all checks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "status": "ready",
                    "checks": [
                        {"name": "database", "ok": True, "detail": None},
                        {"name": "migrations", "ok": True, "detail": None},
                        {"name": "writes", "ok": True, "detail": None},
                        {"name": "queue", "ok": True, "detail": None},
                    ],
                    "system": {
                        "lastHeartbeatAt": "2026-03-01T09:30:00Z",
                        "heartbeatAgeSeconds": 4.2,
                        "effectsOnHold": False,
                        "workers": 1,
                        "runningJobs": 0,
                    },
                }
            ]
        }
    )

    status: Literal["ready", "unready"]
    checks: list[ReadinessCheck]
    system: SystemStatus | None = Field(description="Workers and heartbeat; null if the database is unavailable.")


class ReadinessProbe:
    """Checks database, schema, writes and queue, each for at most `timeout` seconds."""

    def __init__(self, database: Database, queue_backend: QueueBackend, *, timeout: float) -> None:
        self._database = database
        self._queue_backend = queue_backend
        self._timeout = timeout
        self._writability = Writability(database)
        self._head = ""
        self._depth: Mapping[str, QueueDepth] | None = None
        self._depth_until = 0.0

    async def check(self) -> Readiness:
        """The current state of all checks."""
        (revision, database_fault), (_, queue_fault), (system, _), (_, write_fault) = await asyncio.gather(
            self._within(self._revision),
            self._within(self._queue_backend.check),
            self._within(self._system),
            self._within(self._writability.check),
        )
        migrations_fault = "The database can't be queried." if database_fault else self._outdated(revision or "")
        checks = [
            ReadinessCheck(name="database", ok=database_fault is None, detail=database_fault),
            ReadinessCheck(name="migrations", ok=migrations_fault is None, detail=migrations_fault),
            ReadinessCheck(name="writes", ok=write_fault is None, detail=write_fault),
            ReadinessCheck(name="queue", ok=queue_fault is None, detail=queue_fault),
        ]
        status: Literal["ready", "unready"] = "ready" if all(check.ok for check in checks) else "unready"
        return Readiness(status=status, checks=checks, system=system)

    async def queue_depth(self) -> Mapping[str, QueueDepth] | None:
        """Queue depth by kind, counted at most every few seconds; None if the queue does not answer."""
        if monotonic() >= self._depth_until:
            self._depth_until = monotonic() + _DEPTH_SECONDS
            self._depth, _ = await self._within(self._queue_backend.depth)
        return self._depth

    async def _within(self, look: Callable[[], Awaitable[T]]) -> tuple[T | None, str | None]:
        try:
            async with asyncio.timeout(self._timeout):
                return await look(), None
        except TimeoutError:
            return None, f"No answer within {self._timeout:g} s."
        except Unavailable as error:
            return None, error.detail

    async def _revision(self) -> str:
        async with self._database.statement() as connection:
            return str(await connection.scalar(REVISION))

    async def _system(self) -> SystemStatus:
        async with self._database.system(read_only=True) as tx:
            return await queries.system_status(tx)

    def _outdated(self, revision: str) -> str | None:
        # Revisions are numbered in order. A newer schema is fine: it still supports the previous program.
        self._head = self._head or head()
        if revision >= self._head:
            return None
        return f"The schema is at {revision}, this program needs {self._head}. Run `leadflood migrate`."
