"""The page of engagement: leads by priority, and settings; and the forms of the panel on the lead page."""

from itertools import groupby
from typing import Any

from leadflood.domains.engagement import queries, service
from leadflood.domains.engagement.contracts import MatrixCell, RecordEngagement, UpdateEngagementSettings
from leadflood.domains.engagement.models import EngagementSource, Rules
from leadflood.domains.engagement.permissions import ENGAGEMENT_CONFIGURE, ENGAGEMENT_READ, ENGAGEMENT_WRITE
from leadflood.kernel.errors import AppError
from leadflood.kernel.filters import Condition, Group, Operator
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form, validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import panel_response
from leadflood.web.pages.leads_filter import write_tree
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()
PATH = "/engagement"


@pages.get(PATH, ENGAGEMENT_READ)
async def show_matrix(ctx: PageContext) -> PageResult:
    """Leads by priority, and how engagement is counted."""
    return await _page(ctx)


@pages.post(f"{PATH}/settings", ENGAGEMENT_CONFIGURE)
async def update_settings(ctx: PageContext) -> PageResult:
    """Change half-life and levels, or the points of a kind."""
    given = ctx.form.given(UpdateEngagementSettings)
    if ctx.form.value("kind"):
        given = {"points": {ctx.form.value("kind"): ctx.form.number("kindPoints") or None}}
        if ctx.form.value("kindPoints") == "0":
            given["points"][ctx.form.value("kind")] = 0
    try:
        command = validated(UpdateEngagementSettings, given)
        async with ctx.writing() as tx:
            await service.update_settings(tx, ctx.actor, command=command, expected_version=ctx.form.version())
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, form=ctx.form.refused(error), status=error.status)
    return Redirect(PATH, [Toast("Settings saved. Levels of leads follow them.")])


async def _page(ctx: PageContext, *, form: Form | None = None, status: int = 200) -> PageResponse:
    async with ctx.reading() as tx:
        settings = await queries.settings(tx, ctx.actor)
        matrix = await queries.matrix(tx, ctx.actor)
    rules = Rules(points=settings.own_points)
    rows = [(tier, list(cells)) for tier, cells in groupby(matrix.cells, key=lambda cell: cell.tier)]
    context: dict[str, Any] = {
        "rows": rows,
        "has_tiers": len(rows) > 1,
        "settings": settings,
        "kinds": rules.all_points,
        "filter_of": _filter_of,
        "form": form or Form.of(settings.model_dump(by_alias=True, exclude={"own_points", "version"})),
    }
    return PageResponse("engagement/matrix.html", context, status)


def _filter_of(cell: MatrixCell) -> str:
    """Filter of the leads of a cell, for the URL of the lead list."""
    if cell.tier is not None:
        return write_tree(Group("all", (Condition("priority", Operator.IS, f"{cell.tier}{cell.level}"),)))
    level = Condition("engagement", Operator.IS, str(cell.level))
    return write_tree(Group("all", (Condition("tier", Operator.IS_EMPTY), level)))


@pages.post("/leads/{id}/engagements", ENGAGEMENT_WRITE)
async def record_engagement(ctx: PageContext) -> PageResult:
    """Record an engagement of a lead; its toast offers to undo it."""
    try:
        given = ctx.form.given(RecordEngagement)
        if given.get("at") == ctx.today.isoformat():
            del given["at"]  # the beginning of today in UTC can be in the future of the user
        command = validated(RecordEngagement, given)
        async with ctx.writing() as tx:
            made = await service.record_engagement(
                tx, ctx.actor, lead_id=ctx.id(), command=command, source=EngagementSource.PERSON
            )
    except AppError as error:
        return await panel_response(ctx, "engagement", ctx.id(), error=error)
    toast = Toast("Engagement recorded.", undo=f"/engagements/{made.id}/deletion")
    return await panel_response(ctx, "engagement", ctx.id(), toast=toast)


@pages.post("/engagements/{id}/deletion", ENGAGEMENT_WRITE)
async def delete_engagement(ctx: PageContext) -> PageResult:
    """Delete an engagement of a lead."""
    async with ctx.writing() as tx:
        lead_id = await service.delete_engagement(tx, ctx.actor, engagement_id=ctx.id())
    return await panel_response(ctx, "engagement", lead_id, toast=Toast("Engagement deleted."))
