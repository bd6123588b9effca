"""The living page of the design system: every component in every state. In development only."""

from leadflood.kernel.config import Environment
from leadflood.kernel.errors import NotFound
from leadflood.web.answers import Answer, Page
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.visit import Visit

pages = Pages()


@pages.get("/design", SIGNED_IN)
async def show_design(visit: Visit) -> Answer:
    """Every component."""
    if visit.parts.settings.env is not Environment.DEVELOPMENT:
        raise NotFound("The design system is shown in development only (LEADFLOOD_ENV).")
    return Page("design.html")
