"""The design system: every component in every state. In development only."""

from leadflood.kernel.config import Environment
from leadflood.kernel.errors import NotFound
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()


@pages.get("/design", SIGNED_IN)
async def show_design(ctx: PageContext) -> PageResult:
    """All components."""
    if ctx.parts.settings.env is not Environment.DEVELOPMENT:
        raise NotFound("The design system is shown in development only (LEADFLOOD_ENV).")
    return PageResponse("design.html")
