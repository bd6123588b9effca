"""Domain events: facts about subjects, recorded in the transaction that makes them true.

A domain declares the types of its events; others declare who subscribes to them; `bootstrap` composes both. The one
who records an event does not know who hears of it.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from leadflood.kernel.actor import Actor
from leadflood.kernel.queue.ports import Priority
from leadflood.kernel.schema import StoredJson

NO_TRACE: Mapping[str, str] = MappingProxyType({})


class EventData(StoredJson):
    """Data of an event: IDs and facts, never personal names. A change of its fields is a new type."""


D = TypeVar("D", bound=EventData)


@dataclass(frozen=True, slots=True)
class EventType(Generic[D]):
    """Type of event. The name is stored and carries a version, such as `invoice.paid.v1`.

    Attributes:
        subject: the kind of thing that it happens to.
        summary: what happened, in a sentence for the documentation.
    """

    name: str
    subject: str
    data: type[D]
    summary: str


@dataclass(frozen=True, slots=True)
class Event(Generic[D]):
    """An event about one subject. `trace` and `priority` are those of the request or job that caused it."""

    subject_id: UUID
    data: D
    actor: Actor
    trace: Mapping[str, str] = field(default_factory=lambda: NO_TRACE)
    priority: Priority = Priority.NORMAL


Listener: TypeAlias = Callable[[Any, Sequence[Event[D]]], Awaitable[None]]
"""Called with the transaction and the events of one type and workspace, in order."""


@dataclass(frozen=True, slots=True)
class Subscription(Generic[D]):
    """Subscription to a type of event: a listener in the same transaction, or a kind of job after it.

    A listener works for all events in a few statements. It asks for no permission: who caused the event had it.

    Attributes:
        name: stable, as stored jobs refer to it.
        job: a `JobKind` whose payload is a `Delivery`.
    """

    name: str
    type: EventType[D]
    listener: Listener[D] | None = None
    job: Any = None


class Subscribers:
    """All types of events of this program, with their subscriptions."""

    def __init__(self, types: Iterable[EventType[Any]], subscriptions: Iterable[Subscription[Any]]) -> None:
        self.types: Mapping[str, EventType[Any]] = {item.name: item for item in types}
        self._by_name: Mapping[str, Subscription[Any]] = {
            subscription.name: subscription for subscription in subscriptions
        }
        self._listening: defaultdict[str, list[Subscription[Any]]] = defaultdict(list)
        self._running: defaultdict[str, list[Subscription[Any]]] = defaultdict(list)
        for item in self._by_name.values():
            (self._running if item.listener is None else self._listening)[item.type.name].append(item)

    def find(self, name: str) -> Subscription[Any] | None:
        """The subscription with a name, or None if this version does not have it."""
        return self._by_name.get(name)

    def listening(self, type_name: str) -> Sequence[Subscription[Any]]:
        """The listeners that run in the transaction."""
        return self._listening.get(type_name, ())

    def running(self, type_name: str) -> Sequence[Subscription[Any]]:
        """The subscriptions that run as jobs."""
        return self._running.get(type_name, ())


NO_LISTENERS = Subscribers((), ())
