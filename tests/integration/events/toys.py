"""Events of a test's own type, and who hears of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from leadflood.domains.jobs import feed
from leadflood.domains.jobs.feed import FeedPage
from leadflood.domains.jobs.publishing import publish
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event, EventData, EventType
from leadflood.kernel.ids import new_id
from leadflood.kernel.pagination import Position
from tests.support.waiting import eventually


class ToyData(EventData):
    """A number."""

    number: int = 0


TOY = EventType("toy.wound.v1", "toy", ToyData, "A toy was wound up.")
OTHER = EventType("toy.dropped.v1", "toy", ToyData, "A toy was dropped.")


@dataclass
class Heard:
    """A listener that remembers what it heard, or fails."""

    fails: bool = False
    calls: list[list[UUID]] = field(default_factory=list)

    async def __call__(self, _tx: Transaction, events: Sequence[Event[ToyData]]) -> None:
        if self.fails:
            raise ZeroDivisionError
        self.calls.append([event.subject_id for event in events])


@dataclass(frozen=True)
class Toybox:
    """The toys of a workspace."""

    database: Database
    workspace_id: UUID

    @property
    def actor(self) -> Actor:
        return Actor.cli(self.workspace_id)

    def events(self, *numbers: int) -> list[Event[ToyData]]:
        actor = self.actor
        return [Event(new_id(), ToyData(number=number), actor) for number in numbers]

    async def publish(self, *numbers: int, event_type: EventType[ToyData] = TOY) -> list[UUID]:
        """Publish events in one transaction. Returns their subjects."""
        events = self.events(*numbers)
        async with self.database.transaction(self.workspace_id) as tx:
            await publish(tx, event_type, events)
        return [event.subject_id for event in events]

    async def read(
        self, after: Position | None = None, *, limit: int = 50, types: Sequence[str] | None = None
    ) -> FeedPage:
        async with self.database.transaction(self.workspace_id, read_only=True) as tx:
            return await feed.read_events(tx, self.actor, types=types, after=after, limit=limit)

    async def read_until(self, subject_id: UUID, after: Position | None = None) -> list[UUID]:
        """All subjects up to this one, as soon as no earlier transaction of the server still runs."""

        async def subjects() -> list[UUID]:
            part = await self.read(after, limit=200)
            found = [item.subject.id for item in part.items]
            return found if subject_id in found else []

        return await eventually(subjects)
