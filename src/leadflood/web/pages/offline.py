"""The page that browsers show while the server can't be reached. The service worker of the front end keeps a copy."""

from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages, Public
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()


@pages.get("/offline", Public("browsers keep it for when the server can't be reached"))
async def show_offline(ctx: PageContext) -> PageResult:  # noqa: ARG001  the same for everyone
    """The page, without the form whose place it has."""
    return PageResponse("offline.html")
