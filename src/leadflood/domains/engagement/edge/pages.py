"""The forms of the panel of engagement on the lead page."""

from leadflood.domains.engagement import service
from leadflood.domains.engagement.contracts import RecordEngagement
from leadflood.domains.engagement.models import EngagementSource
from leadflood.domains.engagement.permissions import ENGAGEMENT_WRITE
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import panel_response
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResult

pages = Pages()


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
