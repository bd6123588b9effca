"""Event delivery: events that were published, are pending, or could not be delivered; retrying those."""

from typing import Any

from leadflood.domains.jobs import queries, service
from leadflood.domains.jobs.contracts import BulkOutcome, ReplayCause, ReplayEvents
from leadflood.domains.jobs.models import MAX_CAUSE, OutboxStatus
from leadflood.domains.jobs.permissions import OUTBOX_READ, OUTBOX_WRITE
from leadflood.web.cookies import local_path
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.jobs_presenter import outcome_toasts
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_ROWS = 50


@pages.get("/outbox", OUTBOX_READ, live=("outbox_causes", "outbox_list"))
async def list_events(ctx: PageContext) -> PageResult:
    """Undelivered events by error, and all events. `?status=…&cause=…` narrows them."""
    status = next((item for item in OutboxStatus if item.value == ctx.query.get("status")), None)
    cause = ctx.query.get("cause")
    cause = cause[:MAX_CAUSE] if cause is not None else None
    narrowed = {"status": status.value if status else None, "cause": cause}
    scope = f"outbox {narrowed}"
    async with ctx.reading() as tx:
        page = await queries.list_events(tx, ctx.actor, status=status, cause=cause, after=ctx.after(scope), limit=_ROWS)
        context: dict[str, Any] = {
            "events": page.items,
            "next": ctx.cursor(page, scope),
            "causes": await queries.dead_by_cause(tx, ctx.actor),
        }
    return PageResponse("outbox/list.html", {**context, "narrowed": narrowed, "paged": "after" in ctx.query})


@pages.post("/outbox/{id}/replays", OUTBOX_WRITE)
async def replay_event(ctx: PageContext) -> PageResult:
    """Retry the delivery of one event."""
    async with ctx.writing() as tx:
        await service.replay_event(tx, ctx.actor, event_id=ctx.id())
    return _back(ctx, BulkOutcome(processed=1, refused=[], job_id=None))


@pages.post("/outbox/replays", OUTBOX_WRITE)
async def replay_events(ctx: PageContext) -> PageResult:
    """Retry the delivery of the selected events."""
    command = ctx.form.read(ReplayEvents)
    async with ctx.writing() as tx:
        outcome = await service.replay_events(tx, ctx.actor, command=command)
    return _back(ctx, outcome)


@pages.post("/outbox/failures/replays", OUTBOX_WRITE)
async def replay_cause(ctx: PageContext) -> PageResult:
    """Retry the delivery of all events that failed with an error."""
    command = validated(ReplayCause, {"cause": ctx.form.value("cause"), "kind": ctx.form.value("kind")})
    async with ctx.writing() as tx:
        outcome = await service.replay_cause(tx, ctx.actor, command=command, trace=ctx.trace)
    return _back(ctx, outcome)


def _back(ctx: PageContext, outcome: BulkOutcome) -> Redirect:
    toasts = outcome_toasts(outcome, "event", "Retrying delivery of")
    return Redirect(local_path(ctx.form.value("next"), "/outbox"), toasts)
