"""The forms of the panel of outcomes on the lead page."""

from leadflood.domains.icps.contracts.outcomes import RecordOutcome
from leadflood.domains.icps.models.outcomes import OutcomeKind, OutcomeSource
from leadflood.domains.icps.permissions import OUTCOMES_WRITE
from leadflood.domains.icps.service import outcomes
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_panels import panel_response
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResult

pages = Pages()

_SAID = {
    OutcomeKind.GOOD: "Recorded as a good fit.",
    OutcomeKind.BAD: "Recorded as a bad fit.",
    OutcomeKind.WON: "Recorded as won.",
    OutcomeKind.LOST: "Recorded as lost.",
}


@pages.post("/leads/{id}/outcomes", OUTCOMES_WRITE)
async def record_outcome(ctx: PageContext) -> PageResult:
    """Record an outcome of a lead now; its toast offers to undo it."""
    try:
        command = ctx.form.read(RecordOutcome)
        async with ctx.writing() as tx:
            made = await outcomes.record_outcome(
                tx, ctx.actor, lead_id=ctx.id(), command=command, source=OutcomeSource.PERSON
            )
    except AppError as error:
        return await panel_response(ctx, "outcomes", ctx.id(), error=error)
    toast = Toast(_SAID[made.outcome], undo=f"/outcomes/{made.id}/deletion")
    return await panel_response(ctx, "outcomes", ctx.id(), toast=toast)


@pages.post("/outcomes/{id}/deletion", OUTCOMES_WRITE)
async def delete_outcome(ctx: PageContext) -> PageResult:
    """Delete an outcome of a lead."""
    async with ctx.writing() as tx:
        lead_id = await outcomes.delete_outcome(tx, ctx.actor, outcome_id=ctx.id())
    return await panel_response(ctx, "outcomes", lead_id, toast=Toast("Outcome deleted."))
