"""Domain events as the outbox stores them."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from pydantic import Field, ValidationError
from pydantic_core import to_json

from leadflood.domains.jobs.models import Payload
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.events import NO_TRACE, D, Event, EventType
from leadflood.kernel.queue.ports import Priority


class EventRef(Payload):
    """A row of the outbox: the payload of a job that subscribes to events."""

    event_id: UUID


class ListenerRef(EventRef):
    """A row of the outbox, and a listener."""

    listener: str


class StoredActor(Payload):
    """Actor who caused an event, as stored."""

    kind: ActorKind
    id: UUID | None = None


class StoredEvent(Payload):
    """An event without its subject. Omitted fields are the same as in the previous entry."""

    data: Any = None
    actor: StoredActor = StoredActor(kind=ActorKind.SYSTEM)
    trace: dict[str, str] = Field(default_factory=dict)
    priority: int = Priority.NORMAL


class StoredEvents(Payload):
    """Events of a row: one for each of its subjects, or one for all of them."""

    entries: list[StoredEvent] = Field(min_length=1)


class UnreadableEvents(ValueError):
    """A row does not fit the type of its events."""


def encoded(events: Sequence[Event[Any]]) -> list[dict[str, Any]]:
    """The entries of `StoredEvents`: a single one if the events differ only in their subjects."""
    entries: list[dict[str, Any]] = []
    data: Any = None
    actor: Any = None
    trace = NO_TRACE
    priority = Priority.NORMAL
    for event in events:
        entry: dict[str, Any] = {}
        if event.data is not data:
            entry["data"] = data = event.data
        if event.actor is not actor:
            actor = event.actor
            entry["actor"] = {"kind": actor.kind, "id": actor.id}
        if event.trace is not trace:
            trace = event.trace
            entry["trace"] = dict(trace)
        if event.priority is not priority:
            entry["priority"] = priority = event.priority
        entries.append(entry)
    return entries if any(entries[1:]) else entries[:1]


def unfolded(subject_ids: Sequence[UUID], payload: str) -> Iterator[tuple[UUID, StoredEvent]]:
    """Each subject of a row with its data. Raises: UnreadableEvents."""
    try:
        entries = StoredEvents.model_validate_json(payload).entries
    except ValidationError as error:
        raise UnreadableEvents(f"The payload is not valid: {error.error_count()} faults.") from error
    if len(entries) not in (1, len(subject_ids)):
        raise UnreadableEvents(f"The payload has {len(entries)} entries for {len(subject_ids)} subjects.")
    said = StoredEvent()
    for place, subject_id in enumerate(subject_ids):
        if place < len(entries):
            entry = entries[place]
            said = said.model_copy(update={name: getattr(entry, name) for name in entry.model_fields_set})
        yield subject_id, said


def decoded(event_type: EventType[D], workspace_id: UUID, subject_ids: Sequence[UUID], payload: str) -> list[Event[D]]:
    """The events of a row. Raises: UnreadableEvents."""
    return [
        Event(
            subject_id,
            _data(event_type, said.data),
            Actor.requester(workspace_id, said.actor.kind, said.actor.id),
            said.trace,
            Priority(said.priority),
        )
        for subject_id, said in unfolded(subject_ids, payload)
    ]


def _data(event_type: EventType[D], stored: object) -> D:
    try:
        return event_type.data.model_validate_json(to_json(stored))
    except ValidationError as error:
        message = f"The data does not fit the event type {event_type.name}: {error.error_count()} faults."
        raise UnreadableEvents(message) from error
