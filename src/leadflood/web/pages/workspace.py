"""The workspace: name and ID."""

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import RenameWorkspace
from leadflood.domains.identity.permissions import WORKSPACE_READ, WORKSPACE_WRITE
from leadflood.domains.identity.service import workspaces
from leadflood.kernel.errors import AppError
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResponse, PageResult, Redirect

pages = Pages()

_PATH = "/settings/workspace"


@pages.get(_PATH, WORKSPACE_READ)
async def show_workspace(ctx: PageContext) -> PageResult:
    """The name, editable with the permission, and the ID."""
    return await _page(ctx)


@pages.post(_PATH, WORKSPACE_WRITE)
async def rename_workspace(ctx: PageContext) -> PageResult:
    """Rename the workspace."""
    try:
        change = ctx.form.read(RenameWorkspace, blank="")
        async with ctx.writing() as tx:
            await workspaces.rename_workspace(tx, ctx.actor, change=change)
    except AppError as error:
        if error.is_fault:
            raise
        return await _page(ctx, ctx.form.refused(error), error.status)
    return Redirect(_PATH, [Toast("Workspace renamed.")])


async def _page(ctx: PageContext, form: Form | None = None, status: int = 200) -> PageResponse:
    async with ctx.reading() as tx:
        workspace = await queries.get_workspace(tx, ctx.actor)
    context = {"workspace": workspace, "form": form or Form.of({"name": workspace.name})}
    return PageResponse("settings/workspace.html", context, status)
