"""The API reference: all operations, and the details of those on one kind of resource. Readable without scripts."""

from leadflood.kernel.errors import NotFound
from leadflood.web.api_reference import reference_of
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages, Public
from leadflood.web.responses import PageResponse, PageResult

pages = Pages()

_OPEN = Public("documentation")


@pages.get("/docs", _OPEN)
async def list_operations(ctx: PageContext) -> PageResult:
    """All operations by group. `q` searches."""
    reference = reference_of(ctx.request.app)
    q = ctx.query.get("q", "")
    context = {"reference": reference, "q": q, "found": reference.matching(q)}
    return PageResponse("reference/list.html", context)


@pages.get("/docs/{group}", _OPEN)
async def show_group(ctx: PageContext) -> PageResult:
    """The operations of one group with parameters, bodies, responses and errors."""
    reference = reference_of(ctx.request.app)
    group = reference.group(ctx.request.path_params["group"])
    if group is None:
        raise NotFound("There is no such part of the API. /docs lists all operations.")
    return PageResponse("reference/group.html", {"reference": reference, "group": group})
