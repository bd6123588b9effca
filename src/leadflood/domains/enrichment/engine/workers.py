"""Engines of a worker: one for each subject, with its lookups in the database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, cast
from uuid import UUID

from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.postgres import PostgresBreakers, PostgresLookups, PostgresRates
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import Fetcher, Source
from leadflood.domains.enrichment.models.runs import RunRequest, RunResult
from leadflood.domains.enrichment.store.lookups import LookupAsker
from leadflood.kernel.db.database import Database

_MAX_WAIT: Final = 5.0
"""Seconds that a run waits for the rate of a source, and leads with it. Then the source is asked by a later run."""


class Offline:
    """The fetcher of sources that need none."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"A source that answers without waiting called {name}.")


@dataclass(frozen=True, slots=True)
class SubjectRun:
    """The result of a run, and the lookups whose answers it used."""

    result: RunResult
    lookup_ids: frozenset[UUID]


class SubjectEngines:
    """Runs the engine for leads and companies. Calls of a source are limited for all of them together."""

    def __init__(
        self,
        database: Database,
        fetcher: Callable[[UUID], Fetcher],
        fingerprint: Callable[..., Awaitable[bytes]],
    ) -> None:
        """Args: fetcher: of a workspace. fingerprint: see `EnginePorts`."""
        self._database = database
        self._fetcher = fetcher
        self._fingerprint = fingerprint
        self._rates = PostgresRates(database)
        self._breakers = PostgresBreakers(database)
        self._slots: dict[str, asyncio.Semaphore] = {}
        self.offline = cast("Fetcher", Offline())

    async def run(self, asker: LookupAsker, sources: Sequence[Source], request: RunRequest) -> SubjectRun:
        """Ask the sources about a subject. Answers are stored as they come. Raises: as `Engine.run`.

        The caller has ended the claims of attempts before this one (`store.lookups.end_claims`), which is the only one
        that asks about the subject.
        """
        lookups = PostgresLookups(self._database, asker)
        fetcher = self._fetcher(asker.workspace_id)
        ports = EnginePorts(lookups, self._rates, self._breakers, fetcher, self._fingerprint, most_wait=_MAX_WAIT)
        result = await Engine(sources, ports, self._slots).run(request)
        return SubjectRun(result, frozenset(lookups.used))
