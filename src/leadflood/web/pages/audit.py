"""The audit log, filtered by action, actor and time."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from leadflood.domains.identity import queries
from leadflood.domains.identity.permissions import AUDIT_READ
from leadflood.domains.leads.queries.changesets import undoable_among
from leadflood.kernel.clock import utc_now
from leadflood.web.page_context import PageContext
from leadflood.web.pages.audit_presenter import AuditWords, audit_rows, mentioned_actors
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult
from leadflood.web.templating import url

pages = Pages()

_PATH = "/settings/audit"
_ROWS = 50
_PEOPLE = 200
_SPANS = {"Today": 0, "Last 7 days": 6, "Last 30 days": 29}
"""Usual time spans: days before today."""


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Filters of the URL; invalid ones are ignored."""

    kind: str
    by: str
    since: str
    until: str

    @classmethod
    def read(cls, ctx: PageContext) -> "AuditFilters":
        """The filters in the query."""
        query = ctx.query
        kind = query.get("kind", "")
        days = {name: _day(query.get(name, "")) for name in ("since", "until")}
        by = _id(query.get("by", ""))
        return cls(
            kind if kind in AuditWords(ctx.parts.audit).groups else "",
            str(by or ""),
            *(str(day or "") for day in days.values()),
        )

    def url(self, **changes: str | None) -> str:
        """The address of the log with some filters changed."""
        return url(_PATH, {name: value for name, value in asdict(self).items() if value}, **changes)

    def start(self, ctx: PageContext) -> datetime | None:
        """Start of the first day in the reader's time zone."""
        return _midnight(ctx, _day(self.since))

    def end(self, ctx: PageContext) -> datetime | None:
        """End of the last day in the reader's time zone."""
        last = _day(self.until)
        return _midnight(ctx, last + timedelta(days=1)) if last and last < date.max else None


@pages.get(_PATH, AUDIT_READ, live=("audit_list",))
async def list_events(ctx: PageContext) -> PageResult:
    """The audit log, newest first."""
    narrowed = AuditFilters.read(ctx)
    given = asdict(narrowed)
    scope = f"audit {given}"
    async with ctx.reading() as tx:
        page = await queries.list_audit_events(
            tx,
            ctx.actor,
            action=narrowed.kind or None,
            actor_id=_id(narrowed.by),
            since=narrowed.start(ctx),
            until=narrowed.end(ctx),
            after=ctx.after(scope),
            limit=_ROWS,
        )
        names = await queries.actor_names(tx, ctx.actor, mentioned_actors(page.items))
        members = await queries.list_members(tx, ctx.actor, limit=_PEOPLE)
        undoable = await undoable_among(tx, ctx.actor, [item.data for item in page.items])
        keys = await queries.list_api_keys(tx, ctx.actor, limit=_PEOPLE)
    people = {str(item.id): item.name for item in members.items}
    people |= {str(item.id): f"API key “{item.name}”" for item in keys.items}
    if narrowed.by and narrowed.by not in people:
        people[narrowed.by] = "Former member"
    after = ctx.cursor(page, scope)
    context: dict[str, Any] = {
        "events": audit_rows(page.items, names, undoable, words=AuditWords(ctx.parts.audit)),
        "narrowed": narrowed,
        "is_narrowed": any(given.values()),
        "kinds": AuditWords(ctx.parts.audit).groups,
        "people": people,
        "spans": _spans(ctx),
        "next": url(_PATH, given, after=after) if after else None,
        "first": url(_PATH, given) if "after" in ctx.query else None,
    }
    return PageResponse("settings/audit.html", context)


def _spans(ctx: PageContext) -> list[tuple[str, str]]:
    """Usual time spans with their first day, in the reader's time zone."""
    today = utc_now().astimezone(ctx.time_zone).date()
    return [(text, str(today - timedelta(days=days))) for text, days in _SPANS.items()]


def _midnight(ctx: PageContext, day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, ctx.time_zone) if day else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
