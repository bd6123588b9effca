"""Home: failures, numbers of leads, recent changes; the first steps until there are leads."""

from dataclasses import dataclass
from typing import Any, Final

from leadflood.domains.fields import queries as fields
from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.permissions import KEYS_WRITE, MEMBERS_WRITE, WORKSPACE_WRITE
from leadflood.domains.invitations import queries as invitations
from leadflood.domains.jobs import queries as jobs
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.labels import name_of
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.domains.leads.queries import changesets
from leadflood.domains.leads.queries.samples import has_samples
from leadflood.domains.leads.service import samples
from leadflood.domains.metrics import queries as metrics
from leadflood.domains.metrics.contracts import ActivityView
from leadflood.domains.metrics.models import TimeRange
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import HomePanel
from leadflood.web import formats
from leadflood.web.cookies import Toast
from leadflood.web.page_context import PageContext
from leadflood.web.pages.actor_names import actors_of
from leadflood.web.pages.changes_presenter import counts, kind_of
from leadflood.web.pages.changes_presenter import name_of as name_of_change
from leadflood.web.pages.jobs_presenter import consequence
from leadflood.web.pipeline import Pages
from leadflood.web.plot_data import plot_data
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_NEWEST: Final = 6
_CAUSES: Final = 5
_CHANGES: Final = 6
_FRESH: Final = 5.0
"""Seconds up to which figures count as of now."""


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One of the first steps of a new workspace.

    Attributes:
        actions: text and address of its buttons.
        post: address that its button posts to, in place of `actions`.
    """

    title: str
    text: str
    actions: tuple[tuple[str, str], ...] = ()
    post: tuple[str, str] | None = None
    done: bool = False


@pages.get("/", LEADS_READ, live=("home_now", "home_panels", "home_plots", "home_lists"))
async def show_home(ctx: PageContext) -> PageResult:
    """The first page after signing in. `?span=7d` sets the period of the plots."""
    span = next((item for item in TimeRange if item.value == ctx.query.get("span")), TimeRange.DAY)
    zone, days = str(ctx.time_zone), ctx.parts.settings.lead_retention_days
    async with ctx.reading() as tx:
        overview, activity = await metrics.dashboard(tx, ctx.actor, span=span, time_zone=zone, now=ctx.now)
        newest = await leads.list_leads(tx, ctx.actor, filters=LeadFilter(), limit=_NEWEST)
        causes = await jobs.failed_by_cause(tx, ctx.actor)
        changes = (await changesets.list_changesets(tx, ctx.actor, limit=_CHANGES)).items
        people = await actors_of(tx, ctx.actor, [item.actor for item in changes])
        status = await jobs.system_status(tx)
        with_samples = await has_samples(tx, ctx.actor)
        steps = [] if newest.items else await _first_steps(tx, ctx)
        panels = [(panel, await panel.load(tx, ctx.actor, ctx.time_zone)) for panel in _panels(ctx)]
    context: dict[str, Any] = {
        "now": overview,
        "system": status,
        "steps": steps,
        "panels": [(panel, loaded) for panel, loaded in panels if not panel.personal],
        "own_panels": [(panel, loaded) for panel, loaded in panels if panel.personal],
        "with_samples": with_samples,
        "activity": activity,
        "updated": _updated((ctx.now - activity.counted_until).total_seconds()),
        "span": span,
        "spans": [(item.value, f"/?span={item.value}", item is span) for item in TimeRange],
        "newest": newest.items,
        "name_of": name_of,
        "causes": [(item, consequence(item)) for item in causes.items[:_CAUSES]],
        "changes": [item.dated(days) for item in changes],
        "change_name": name_of_change,
        "kind_of": kind_of,
        "summary": counts,
        "people": people,
        "came": _plot(activity, {"Created": "created", "Enriched": "enriched", "Failed": "failed"}),
        "fast": _plot(activity, {"Median (p50)": "latency_p50", "p95": "latency_p95"}, unit="s"),
    }
    return PageResponse("home/home.html", context)


@pages.post("/samples", LEADS_WRITE)
async def load_samples(ctx: PageContext) -> PageResult:
    """Create the sample leads."""
    async with ctx.writing() as tx:
        _, new = await samples.load_samples(tx, ctx.actor, trace=ctx.trace)
    text = f"{formats.plural(new, 'sample lead')} created. Enriching now…" if new else "Sample data already loaded."
    return Redirect("/", [Toast(text, link="/leads?source=demo", link_text="View leads")])


@pages.post("/samples/removals", LEADS_WRITE)
async def remove_samples(ctx: PageContext) -> PageResult:
    """Delete the sample leads."""
    async with ctx.writing() as tx:
        done = await samples.remove_samples(tx, ctx.actor, trace=ctx.trace)
    undo = f"/changesets/{done.id}/undos" if done.changed else None
    return Redirect("/", [Toast(f"{formats.plural(done.changed, 'sample lead')} removed.", undo=undo)])


def _panels(ctx: PageContext) -> list[HomePanel]:
    """The panels that the user may see; of a render that users share, only those that are the same for all."""
    return [panel for panel in ctx.parts.home if ctx.may(panel.permission) and not (panel.personal and ctx.live)]


async def _first_steps(tx: Transaction, ctx: PageContext) -> list[FirstStep]:
    """The first steps that the user has the permissions for."""
    steps = []
    if ctx.may(LEADS_WRITE):
        steps += [
            FirstStep(
                "Add your leads",
                "Import a CSV or Excel file with a preview you can undo, or type one in.",
                (("Import leads", "/imports/new"), ("New lead", "/leads/new")),
            ),
            FirstStep(
                "See enrichment at work",
                "Sample leads show what enrichment finds, and where each value comes from. Remove them at any time.",
                post=("Load sample data", "/samples"),
            ),
        ]
    if ctx.may(MEMBERS_WRITE):
        others = len((await identity.list_members(tx, ctx.actor, limit=2)).items) > 1
        invited = others or bool((await invitations.list_invitations(tx, ctx.actor, limit=1)).items)
        step = ("Invite a teammate", "Work on the same leads, with a role for each person.")
        steps.append(FirstStep(*step, (("Invite", "/settings/invitations/new"),), done=invited))
    if ctx.may(KEYS_WRITE):
        connected = bool((await identity.list_api_keys(tx, ctx.actor, limit=1)).items)
        text = "Send leads from a website form or another app with an API key."
        actions = (("Create API key", "/settings/api-keys/new"), ("API documentation", "/docs"))
        steps.append(FirstStep("Connect your forms and apps", text, actions, done=connected))
    if ctx.may(WORKSPACE_WRITE):
        defined = bool(await fields.list_fields(tx, ctx.actor, subject=LEAD))
        step = ("Add your own fields", "Text, numbers, dates, choices and more, beside those every lead has.")
        steps.append(FirstStep(*step, (("Add a field", "/settings/fields/new"),), done=defined))
    return steps


def _updated(seconds: float) -> str:
    """Age of the figures, in words."""
    return "Updated just now" if seconds < _FRESH else f"Updated {formats.duration(round(seconds))} ago"


def _plot(activity: ActivityView, series: dict[str, str], unit: str = "") -> str:
    days = activity.span is not TimeRange.DAY
    return plot_data(activity.points, series, zone=activity.time_zone, days=days, unit=unit)
