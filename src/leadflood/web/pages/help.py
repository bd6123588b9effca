"""The documentation inside the application: readable offline, on a phone and without scripts."""

from leadflood.kernel.errors import NotFound
from leadflood.web.documents import document, documents
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import SIGNED_IN, Pages
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()


@pages.get("/help", SIGNED_IN)
async def list_documents(ctx: PageContext) -> PageResult:  # noqa: ARG001  every page has its context
    """All documents."""
    return PageResponse("help/list.html", {"documents": documents()})


@pages.get("/help/{page}", SIGNED_IN)
async def show_document(ctx: PageContext) -> PageResult:
    """One document."""
    found = document(ctx.request.path_params["page"])
    if found is None:
        raise NotFound("There is no such document. See the list of documents at /help.")
    return PageResponse("help/document.html", {"document": found})
