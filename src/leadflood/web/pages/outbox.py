"""The outbox: what was published, what waits, and what nobody could be told; replaying dead letters."""

from typing import Any

from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import BulkOutcome, ReplayCause, ReplayEvents
from leadflood.domains.jobs.models import LONGEST_CAUSE, OutboxStatus
from leadflood.kernel.actor import Permission
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import validated
from leadflood.web.pages.jobs_told import outcome_toasts
from leadflood.web.pipeline import Pages
from leadflood.web.session import local_path
from leadflood.web.visit import Visit

pages = Pages()

_ROWS = 50


@pages.get("/outbox", Permission.OUTBOX_READ, live=("outbox_causes", "outbox_list"))
async def list_events(visit: Visit) -> Answer:
    """Dead letters by cause, and the events. `?status=…&cause=…` narrows them."""
    status = next((each for each in OutboxStatus if each.value == visit.query.get("status")), None)
    cause = visit.query.get("cause")
    cause = cause[:LONGEST_CAUSE] if cause is not None else None
    narrowed = {"status": status.value if status else None, "cause": cause}
    scope = f"outbox {narrowed}"
    async with visit.reading() as tx:
        page = await queries.list_events(
            tx, visit.actor, status=status, cause=cause, after=visit.after(scope), limit=_ROWS
        )
        context: dict[str, Any] = {
            "events": page.items,
            "next": visit.cursor(page, scope),
            "causes": await queries.dead_by_cause(tx, visit.actor),
        }
    return Page("outbox/list.html", {**context, "narrowed": narrowed, "paged": "after" in visit.query})


@pages.post("/outbox/{id}/replays", Permission.OUTBOX_WRITE)
async def replay_event(visit: Visit) -> Answer:
    """Give one dead letter to the relay again."""
    async with visit.writing() as tx:
        await service.replay_event(tx, visit.actor, event_id=visit.id())
    return _back(visit, BulkOutcome(done=1, refused=[], job_id=None))


@pages.post("/outbox/replays", Permission.OUTBOX_WRITE)
async def replay_events(visit: Visit) -> Answer:
    """Give the ticked dead letters to the relay again."""
    command = visit.form.read(ReplayEvents)
    async with visit.writing() as tx:
        outcome = await service.replay_events(tx, visit.actor, command=command)
    return _back(visit, outcome)


@pages.post("/outbox/failures/replays", Permission.OUTBOX_WRITE)
async def replay_cause(visit: Visit) -> Answer:
    """Give all dead letters of a cause to the relay again."""
    command = validated(ReplayCause, {"cause": visit.form.value("cause"), "kind": visit.form.value("kind")})
    async with visit.writing() as tx:
        outcome = await service.replay_cause(tx, visit.actor, command=command, trace=visit.trace)
    return _back(visit, outcome)


def _back(visit: Visit, outcome: BulkOutcome) -> Redirect:
    toasts = outcome_toasts(outcome, "event", "given to the relay again")
    return Redirect(local_path(visit.form.value("next"), "/outbox"), toasts)
