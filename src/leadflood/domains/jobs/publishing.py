"""Recording of domain events in the transaction of the change."""

from collections.abc import Sequence

from leadflood.domains.jobs import service
from leadflood.domains.jobs.deliveries import ListenerRef, encoded
from leadflood.domains.jobs.events import DELIVER_EVENTS
from leadflood.domains.jobs.models import MAX_SUBJECTS, NewJob, OutboxStatus
from leadflood.domains.jobs.store import domain_events as store
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import D, Event, EventType
from leadflood.kernel.ids import new_id


async def publish(tx: Transaction, event_type: EventType[D], events: Sequence[Event[D]]) -> None:
    """Record an event for subjects of one workspace, in rows of up to 500 subjects.

    Up to 500 events, listeners run before this returns; for more, a job per row runs them after the commit.
    """
    if not events:
        return
    waits = bool(tx.subscribers.running(event_type.name))
    chunks = [events[start : start + MAX_SUBJECTS] for start in range(0, len(events), MAX_SUBJECTS)]
    rows = [(new_id(), len(chunk), encoded(chunk)) for chunk in chunks]
    await store.insert(
        tx,
        events[0].actor.workspace_id,
        event_type,
        subject_ids=[event.subject_id for event in events],
        rows=rows,
        status=OutboxStatus.PENDING if waits else OutboxStatus.SENT,
    )
    if waits:
        tx.wake_relay()
    for subscription in tx.subscribers.listening(event_type.name):
        if len(chunks) == 1 and subscription.listener is not None:
            await subscription.listener(tx, events)
        else:
            refs = [ListenerRef(event_id=event_id, listener=subscription.name) for event_id, _, _ in rows]
            later = [NewJob(DELIVER_EVENTS, ref, trace=events[0].trace, priority=events[0].priority) for ref in refs]
            await service.enqueue(tx, events[0].actor, jobs=later)
