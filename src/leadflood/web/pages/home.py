"""Home: what came in, what is under way, what failed, how much over time and how fast."""

import json
from typing import Any

from leadflood.domains.figures import queries as figures
from leadflood.domains.figures.contracts import ActivityView
from leadflood.domains.figures.models import Span
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.kernel.actor import Permission
from leadflood.web.answers import Answer, Page
from leadflood.web.pages.lead_form import name_of
from leadflood.web.pipeline import Pages
from leadflood.web.visit import Visit

pages = Pages()

_NEWEST = 6
_CAUSES = 5


@pages.get("/", Permission.LEADS_READ, live=("home_now", "home_plots", "home_lists"))
async def show_home(visit: Visit) -> Answer:
    """The first page after signing in. `?span=7d` sets how far back the plots go."""
    span = next((each for each in Span if each.value == visit.query.get("span")), Span.DAY)
    zone = str(visit.time_zone)
    async with visit.reading() as tx:
        overview, activity = await figures.glance(tx, visit.actor, span=span, time_zone=zone, now=visit.now)
        newest = await leads.list_leads(tx, visit.actor, only=LeadFilter(), limit=_NEWEST)
        causes = await jobs.failed_by_cause(tx, visit.actor)
        context: dict[str, Any] = {
            "now": overview,
            "queue": await jobs.get_queue(tx, visit.actor),
            "system": await jobs.system_status(tx),
        }
    context |= {
        "activity": activity,
        "span": span,
        "spans": [(each.value, f"/?span={each.value}", each is span) for each in Span],
        "newest": newest.items,
        "name_of": name_of,
        "causes": causes.items[:_CAUSES],
        "came": _plot(activity, {"Came in": "created", "Enriched": "enriched", "Failed": "failed"}),
        "fast": _plot(activity, {"Half within": "latency_p50", "95 of 100 within": "latency_p95"}, unit="s"),
    }
    return Page("home/home.html", context)


def _plot(activity: ActivityView, series: dict[str, str], unit: str = "") -> str:
    """What the script draws: Unix times, and one list of figures a series."""
    return json.dumps(
        {
            "x": [point.starts_at.timestamp() for point in activity.points],
            "series": [
                {"label": label, "values": [getattr(point, name) for point in activity.points]}
                for label, name in series.items()
            ],
            "unit": unit,
            "zone": activity.time_zone,
            "days": activity.span is not Span.DAY,
        }
    )
