"""Engines of a worker: one for each subject, with its lookups in the database."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, cast
from uuid import UUID

from leadflood.domains.enrichment.engine.named_gates import NamedBreakers, NamedRates
from leadflood.domains.enrichment.engine.objections import SENTENCE as OBJECTION_SENTENCE
from leadflood.domains.enrichment.engine.objections import GuardedSource, guard_of
from leadflood.domains.enrichment.engine.ports import EnginePorts
from leadflood.domains.enrichment.engine.postgres import PostgresBreakers, PostgresLookups, PostgresRates
from leadflood.domains.enrichment.engine.purchase_groups import PurchaseGroups
from leadflood.domains.enrichment.engine.recording import RecordingFetcher
from leadflood.domains.enrichment.engine.running import Engine
from leadflood.domains.enrichment.models import Fetcher, Source, Speed, SubjectKind
from leadflood.domains.enrichment.models.runs import RunRequest, RunResult, Step, StepState
from leadflood.domains.enrichment.models.source_tests import SourceTestResult
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
        self._purchases = PurchaseGroups(database)
        self._slots: dict[str, asyncio.Semaphore] = {}
        self.offline = cast("Fetcher", Offline())

    async def run(
        self,
        asker: LookupAsker,
        sources: Sequence[Source],
        request: RunRequest,
        gates: Mapping[str, str],
        *,
        keeps_pages: bool = False,
    ) -> SubjectRun:
        """Ask the sources about a subject. Answers are stored as they come.

        Args: gates: see `SourceSet`. keeps_pages: see `PostgresLookups`.

        The caller has ended the claims of attempts before this one (`store.lookups.end_claims`), which is the only one
        that asks about the subject.

        Raises: as `Engine.run`.
        """
        sources = await self._permitted(asker, sources, request)
        lookups = PostgresLookups(self._database, asker, self._purchases, keeps_pages=keeps_pages)
        fetcher = self._fetcher(asker.workspace_id)
        rates, breakers = NamedRates(self._rates, gates), NamedBreakers(self._breakers, gates)
        ports = EnginePorts(lookups, rates, breakers, fetcher, self._fingerprint, most_wait=_MAX_WAIT)
        result = await Engine(sources, ports, self._slots).run(request)
        return SubjectRun(result, frozenset(lookups.used))

    async def test(
        self, asker: LookupAsker, source: Source, request: RunRequest, gates: Mapping[str, str]
    ) -> SourceTestResult:
        """Ask one source about a subject, also for what is known already. An answer that is still good is used.

        Args, Raises: as `run`.
        """
        permitted = await self._permitted(asker, [source], request)
        if not permitted:
            spec = source.spec
            return SourceTestResult(Step(spec.name, spec.label, StepState.SKIPPED, OBJECTION_SENTENCE))
        lookups = PostgresLookups(self._database, asker, self._purchases)
        recorder = RecordingFetcher(self._fetcher(asker.workspace_id))
        rates, breakers = NamedRates(self._rates, gates), NamedBreakers(self._breakers, gates)
        fetcher = cast("Fetcher", recorder)
        ports = EnginePorts(lookups, rates, breakers, fetcher, self._fingerprint, most_wait=_MAX_WAIT)
        asked = await Engine(permitted, ports, self._slots).test(request)
        return SourceTestResult(asked.step, asked.facts, recorder.calls, frozenset(lookups.used))

    async def _permitted(self, asker: LookupAsker, sources: Sequence[Source], request: RunRequest) -> Sequence[Source]:
        """The sources that may be asked about a person: of one who objected, those that send nothing."""
        if asker.kind is not SubjectKind.LEAD:
            return sources
        workspace_id = asker.workspace_id
        guard = await guard_of(self._database, workspace_id, self._fingerprint, request.given, request.stored)
        if guard.objected:
            return [source for source in sources if source.spec.speed is Speed.INSTANT]
        return [GuardedSource(source, guard) for source in sources]
