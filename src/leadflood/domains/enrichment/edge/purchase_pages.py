"""The decision to ask again, on the page of a purchase whose answer was lost."""

from leadflood.domains.enrichment.service.asking_again import ask_again
from leadflood.domains.spending.permissions import SPENDING_WRITE
from leadflood.web.cookies import Toast
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResult, Redirect

pages = Pages()


@pages.post("/spending/purchases/{id}/repetitions", SPENDING_WRITE)
async def repeat_purchase(ctx: PageContext) -> PageResult:
    """Let the next enrichment ask again."""
    async with ctx.writing() as tx:
        await ask_again(tx, ctx.actor, purchase_id=ctx.id())
    return Redirect(f"/spending/purchases/{ctx.id()}", [Toast("The next enrichment asks again.")])
