"""Persons who objected to being looked up: no source that leaves this machine is asked about them again.

They are known by keyed hashes of their address, and of their name with the domain of their employer. The key never
changes, and the rows are never deleted: a list of objections that holds no address can outlive everything else.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from leadflood.domains.enrichment.models import Answer, Fetcher, Objected, Question, Source, SourceSpec, Ticket
from leadflood.domains.enrichment.models import lead_fields as person
from leadflood.domains.enrichment.models.choosing import FactCandidate
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue
from leadflood.domains.enrichment.models.sources import TicketSource
from leadflood.domains.enrichment.store import objections as store
from leadflood.kernel.canonical_mailbox import canonical_mailbox
from leadflood.kernel.db.database import Database
from leadflood.kernel.email_parts import parse_address
from leadflood.kernel.text import search_key

SENTENCE = "The person does not want to be looked up."


@dataclass(slots=True)
class PersonGuard:
    """A person of one run. `objected`: whether they objected, before or during the run."""

    database: Database
    workspace_id: UUID
    hashes: Sequence[bytes]
    objected: bool = False

    async def record(self, source: str) -> None:
        """Record that a source reported an objection."""
        self.objected = True
        async with self.database.transaction(self.workspace_id) as tx:
            await store.add(tx, self.workspace_id, self.hashes, source)


class GuardedSource:
    """A source about persons that records objections, and is not asked after one."""

    def __init__(self, source: Source, guard: PersonGuard) -> None:
        self._source = source
        self._guard = guard

    @property
    def spec(self) -> SourceSpec:
        """See `Source.spec`."""
        return self._source.spec

    @property
    def objected(self) -> bool:
        """Whether the person has objected meanwhile."""
        return self._guard.objected

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever else the source can do
        return getattr(self._source, name)

    async def ask(self, question: Question, fetcher: Fetcher) -> Answer:
        """See `Source.ask`. Raises: Objected."""
        return await self._guarded(self._source.ask(question, fetcher)) if not self._guard.objected else _refuse()

    async def poll(self, ticket: Ticket, question: Question, fetcher: Fetcher) -> Answer:
        """See `TicketSource.poll`. What was ordered before the objection is not fetched. Raises: Objected."""
        if self._guard.objected:
            _refuse()
        return await self._guarded(cast("TicketSource", self._source).poll(ticket, question, fetcher))

    async def _guarded(self, answer: Awaitable[Answer]) -> Answer:
        try:
            return await answer
        except Objected:
            await self._guard.record(self.spec.name)
            raise


def refusal_of(source: Source) -> str | None:
    """The reason for not asking a source now, for users; None if it may be asked."""
    return SENTENCE if isinstance(source, GuardedSource) and source.objected else None


def _refuse() -> Answer:
    raise Objected(SENTENCE)


async def guard_of(
    database: Database,
    workspace_id: UUID,
    fingerprint: Callable[..., Awaitable[bytes]],
    given: Mapping[FactField, FactValue],
    stored: Sequence[FactCandidate],
) -> PersonGuard:
    """The guard of a person, by what is given of them and was found before. Args: fingerprint: see `EnginePorts`."""
    names = [
        await fingerprint(b"objection", workspace_id.bytes, *(part.encode("utf-8", "surrogatepass") for part in parts))
        for parts in _names(given, stored)
    ]
    guard = PersonGuard(database, workspace_id, names)
    if names:
        async with database.transaction(workspace_id, read_only=True) as tx:
            guard.objected = await store.objected(tx, workspace_id, names)
    return guard


def _names(given: Mapping[FactField, FactValue], stored: Sequence[FactCandidate]) -> list[tuple[str, ...]]:
    """The names under which a person is recognized: mailbox, and name with domain."""
    known = {candidate.fact.field: candidate.fact.value for candidate in reversed(stored)} | {**given}
    found: list[tuple[str, ...]] = []
    if email := known.get(person.EMAIL):
        address = parse_address(str(email))
        found.append(("email", canonical_mailbox(address).email if address else str(email).casefold()))
    first, last = (search_key(str(known.get(field) or "")) for field in (person.FIRST_NAME, person.LAST_NAME))
    domain = known.get(person.COMPANY_DOMAIN)
    if first and last and domain:
        found.append(("name", first, last, str(domain)))
    return found
