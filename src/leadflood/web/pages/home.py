"""Home: leads created, enriching and failed, over time, and time to enrich."""

import json
from typing import Any

from leadflood.domains.jobs import queries as jobs
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.permissions import LEADS_READ
from leadflood.domains.metrics import queries as metrics
from leadflood.domains.metrics.contracts import ActivityView
from leadflood.domains.metrics.models import TimeRange
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_form import name_of
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_NEWEST = 6
_CAUSES = 5


@pages.get("/", LEADS_READ, live=("home_now", "home_panels", "home_plots", "home_lists"))
async def show_home(ctx: PageContext) -> PageResult:
    """The first page after signing in. `?span=7d` sets the period of the plots."""
    span = next((item for item in TimeRange if item.value == ctx.query.get("span")), TimeRange.DAY)
    zone = str(ctx.time_zone)
    async with ctx.reading() as tx:
        overview, activity = await metrics.dashboard(tx, ctx.actor, span=span, time_zone=zone, now=ctx.now)
        newest = await leads.list_leads(tx, ctx.actor, filters=LeadFilter(), limit=_NEWEST)
        causes = await jobs.failed_by_cause(tx, ctx.actor)
        context: dict[str, Any] = {
            "now": overview,
            "queue": await jobs.get_queue(tx, ctx.actor),
            "system": await jobs.system_status(tx),
            "panels": [
                (panel, await panel.load(tx, ctx.actor)) for panel in ctx.parts.home if ctx.may(panel.permission)
            ],
        }
    context |= {
        "activity": activity,
        "span": span,
        "spans": [(item.value, f"/?span={item.value}", item is span) for item in TimeRange],
        "newest": newest.items,
        "name_of": name_of,
        "causes": causes.items[:_CAUSES],
        "came": _plot(activity, {"Created": "created", "Enriched": "enriched", "Failed": "failed"}),
        "fast": _plot(activity, {"Median (p50)": "latency_p50", "p95": "latency_p95"}, unit="s"),
    }
    return PageResponse("home/home.html", context)


def _plot(activity: ActivityView, series: dict[str, str], unit: str = "") -> str:
    """Data for the chart script: Unix times, and one list of values per series."""
    return json.dumps(
        {
            "x": [point.starts_at.timestamp() for point in activity.points],
            "series": [
                {"label": label, "values": [getattr(point, name) for point in activity.points]}
                for label, name in series.items()
            ],
            "unit": unit,
            "zone": activity.time_zone,
            "days": activity.span is not TimeRange.DAY,
        }
    )
