"""SQL that reads metrics: aggregates, and recent activity while it is small."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from leadflood.domains.metrics.contracts import (
    ActivityMetrics,
    ActivityPoint,
    ActivityView,
    MetricInfo,
    MetricInfos,
    MetricPoint,
    MetricView,
    OverviewView,
)
from leadflood.domains.metrics.errors import MetricNotFound
from leadflood.domains.metrics.models import (
    CREATED,
    ENRICHED,
    FAILED,
    LATENCY_BOUNDS,
    TimeRange,
    bounds_of,
    percentile,
)
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.metrics import Metric, MetricRegistry
from leadflood.kernel.schema import Count

COUNTED = 10_000
"""Maximum number of leads that are counted one by one."""

LIVE = 1000
"""Maximum number of leads changed since the last aggregation that are read; above it, metrics are as of then."""

MAX_CREATED = 50_000
"""Maximum number of leads created in a span that are counted one by one; above it, deleted leads are included."""

# The time up to which everything is aggregated.
_COUNTED_UNTIL = sql("SELECT counted_until FROM figures_progress WHERE name = 'leads'")

_SINCE = assemble(
    sql_file("leadflood.domains.metrics.sql", "since"),
    latency_slot=sql_file("leadflood.domains.metrics.sql", "latency_slot"),
)

_LEADS = sql_file("leadflood.domains.metrics.sql", "leads")

_DASHBOARD = sql_file("leadflood.domains.metrics.sql", "dashboard")

# A metric per interval of a period.
_VALUES = sql("""
SELECT width_bucket(quarter, :bounds::timestamptz[]) AS part, sum(value)::bigint AS value
FROM workspace_metrics
WHERE workspace_id = :workspace_id AND metric = :metric AND quarter >= :first AND quarter < :last
GROUP BY part
""")

# Number of active leads created in each part of a span, up to a limit.
_CREATED = sql("""
SELECT width_bucket(created_at, :bounds::timestamptz[]) AS part, count(*) AS leads
FROM (SELECT created_at FROM leads
      WHERE workspace_id = :workspace_id AND deleted_at IS NULL AND created_at >= :first AND created_at < :last
      ORDER BY created_at, id LIMIT :most) AS created
GROUP BY part
""")

# Number of leads at the last aggregation, including those created since.
_TOTAL = sql("""
SELECT t.leads_total + (SELECT coalesce(sum(m.value), 0)::bigint FROM workspace_metrics m
                        WHERE m.workspace_id = :workspace_id AND m.metric = :created AND m.quarter > t.quarter)
FROM workspace_figures t
WHERE t.workspace_id = :workspace_id AND t.leads_total IS NOT NULL
ORDER BY t.quarter DESC
LIMIT 1
""")


@dataclass(slots=True)
class _Part:
    """Counts of one interval while they are collected."""

    created: int = 0
    enriched: int = 0
    failed: int = 0
    latency: Counter[int] = field(default_factory=Counter)

    def add(self, other: "_Part") -> None:
        self.created += other.created
        self.enriched += other.enriched
        self.failed += other.failed
        self.latency.update(other.latency)

    def happened(self, kind: str, slot: int | None) -> None:
        self.created += kind == "lead.created"
        self.enriched += kind == "enrichment.completed"
        self.failed += kind == "enrichment.failed"
        if slot is not None:
            self.latency[slot] += 1

    def metrics(self) -> dict[str, Any]:
        return {
            "created": self.created,
            "enriched": self.enriched,
            "failed": self.failed,
            "latency_p50": percentile(self.latency, 0.5),
            "latency_p95": percentile(self.latency, 0.95),
        }


@dataclass(frozen=True, slots=True)
class _Recent:
    """Counts since the last aggregation; the first row has the number of leads it touched."""

    since: datetime
    rows: Sequence[Row]


async def dashboard(
    tx: Transaction, actor: Actor, *, span: TimeRange, time_zone: str, now: datetime
) -> tuple[OverviewView, ActivityView]:
    """`overview` and `activity` at one time, with one read of the recent activity."""
    zone = ZoneInfo(time_zone)
    bounds = bounds_of(span, now, zone)
    recent = await _recent(tx, actor, min(bounds[0], _midnight(now, zone)))
    return await _overview(tx, actor, recent, zone, now), await _activity(tx, actor, recent, span, zone, now)


async def activity(tx: Transaction, actor: Actor, *, span: TimeRange, time_zone: str, now: datetime) -> ActivityView:
    """Activity over a period, per hour or per day of an IANA time zone."""
    zone = ZoneInfo(time_zone)
    recent = await _recent(tx, actor, bounds_of(span, now, zone)[0])
    return await _activity(tx, actor, recent, span, zone, now)


async def overview(tx: Transaction, actor: Actor, *, time_zone: str, now: datetime) -> OverviewView:
    """Current state of the workspace, and activity since midnight in an IANA time zone."""
    zone = ZoneInfo(time_zone)
    recent = await _recent(tx, actor, _midnight(now, zone))
    return await _overview(tx, actor, recent, zone, now)


def list_metrics(metrics: MetricRegistry, actor: Actor) -> MetricInfos:
    """The metrics that the actor may read, by name."""
    return MetricInfos(items=[MetricInfo(**_info(each)) for each in metrics if each.permission in actor.permissions])


async def get_metric(
    tx: Transaction, actor: Actor, metric: Metric | None, *, span: TimeRange, time_zone: str, now: datetime
) -> MetricView:
    """A metric over a period, per hour or per day of an IANA time zone. Raises: MetricNotFound."""
    if metric is None or metric.permission not in actor.permissions:
        raise MetricNotFound
    bounds = bounds_of(span, now, ZoneInfo(time_zone))
    sought = {"workspace_id": actor.workspace_id, "metric": metric.name, "bounds": list(bounds)}
    rows = await tx.all(_VALUES, {**sought, "first": bounds[0], "last": bounds[-1]})
    values = {row.part - 1: row.value for row in rows}
    points = [
        MetricPoint(starts_at=starts, ends_at=ends, value=values.get(part, 0))
        for part, (starts, ends) in enumerate(pairwise(bounds))
    ]
    return MetricView(
        **_info(metric),
        span=span,
        time_zone=time_zone,
        counted_until=await tx.scalar(_COUNTED_UNTIL),
        points=points,
        total=sum(values.values()),
    )


def _info(metric: Metric) -> dict[str, str]:
    return {"name": metric.name, "label": metric.label, "help": metric.help}


async def _activity(
    tx: Transaction, actor: Actor, recent: _Recent, span: TimeRange, zone: ZoneInfo, now: datetime
) -> ActivityView:
    bounds = bounds_of(span, now, zone)
    parts, counted_until = await _parts(tx, actor, recent, bounds, now)
    total = _Part()
    for part in parts:
        total.add(part)
    return ActivityView(
        span=span,
        time_zone=zone.key,
        counted_until=counted_until,
        points=[
            ActivityPoint(starts_at=starts, ends_at=ends, **part.metrics())
            for starts, ends, part in zip(bounds, bounds[1:], parts, strict=False)
        ],
        total=ActivityMetrics(**total.metrics()),
    )


async def _overview(tx: Transaction, actor: Actor, recent: _Recent, zone: ZoneInfo, now: datetime) -> OverviewView:
    (today,), counted_until = await _parts(tx, actor, recent, bounds_of(TimeRange.WEEK, now, zone)[-2:], now)
    row = (await tx.all(_LEADS, {"workspace_id": actor.workspace_id, "most": COUNTED + 1}))[0]
    leads = Count.up_to(COUNTED, row.leads)
    if not leads.exact:
        total = await tx.scalar(_TOTAL, {"workspace_id": actor.workspace_id, "created": CREATED})
        leads = Count(value=max(COUNTED, int(total or 0)), exact=False)
    return OverviewView(
        leads=leads,
        created_today=today.created,
        enriched_today=today.enriched,
        failed_today=today.failed,
        in_flight=Count.up_to(COUNTED, row.new + row.processing),
        failed=Count.up_to(COUNTED, row.failed),
        oldest_waiting_at=row.oldest,
        counted_until=counted_until,
    )


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    return bounds_of(TimeRange.WEEK, now, zone)[-2]


async def _recent(tx: Transaction, actor: Actor, earliest: datetime) -> _Recent:
    """Activity since the last aggregation; since `earliest` if there was none."""
    counted_until: datetime | None = await tx.scalar(_COUNTED_UNTIL)
    since = counted_until or earliest
    rows = await tx.all(
        _SINCE,
        {"workspace_id": actor.workspace_id, "since": since, "most": LIVE + 1, "bounds": list(LATENCY_BOUNDS)},
    )
    return _Recent(since, rows)


async def _parts(
    tx: Transaction, actor: Actor, recent: _Recent, bounds: Sequence[datetime], now: datetime
) -> tuple[list[_Part], datetime]:
    """Counts between the bounds, and the time until which they are complete."""
    parts = [_Part() for _ in bounds[1:]]
    sought = {"workspace_id": actor.workspace_id, "bounds": list(bounds), "first": bounds[0], "last": bounds[-1]}
    names = {"created": CREATED, "enriched": ENRICHED, "failed": FAILED}
    for row in await tx.all(_DASHBOARD, {**sought, **names}):
        latency = Counter({slot: count for slot, count in enumerate(row.latency) if count})
        parts[row.part - 1].add(_Part(row.created, row.enriched, row.failed, latency))
    complete = recent.rows[0].touched <= LIVE
    if complete:
        _add_live(parts, bounds, recent.rows)
    await _count_created(tx, parts, sought)
    return parts, max(now, recent.since) if complete else recent.since


async def _count_created(tx: Transaction, parts: Sequence[_Part], sought: Mapping[str, Any]) -> None:
    """Replace the leads created by those that there still are, unless there are too many to count."""
    rows = await tx.all(_CREATED, {**sought, "most": MAX_CREATED + 1})
    if sum(row.leads for row in rows) > MAX_CREATED:
        return
    counts = {row.part - 1: row.leads for row in rows}
    for number, part in enumerate(parts):
        part.created = counts.get(number, 0)


def _add_live(parts: Sequence[_Part], bounds: Sequence[datetime], live: Sequence[Row]) -> None:
    for row in live:
        if row.kind is not None and row.at >= bounds[0]:
            part = min(bisect_right(bounds, row.at), len(parts)) - 1
            parts[part].happened(row.kind, row.slot)
