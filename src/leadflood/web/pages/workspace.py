"""The workspace itself: its name and id."""

from leadflood.domains.identity import queries
from leadflood.domains.identity.contracts import RenameWorkspace
from leadflood.domains.identity.service import workspaces
from leadflood.kernel.actor import Permission
from leadflood.kernel.errors import AppError
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.forms import Form
from leadflood.web.pipeline import Pages
from leadflood.web.session import Toast
from leadflood.web.visit import Visit

pages = Pages()

_PATH = "/settings/workspace"
_FAULT = 500


@pages.get(_PATH, Permission.WORKSPACE_READ)
async def show_workspace(visit: Visit) -> Answer:
    """Its name, which those who may can change, and its id."""
    return await _page(visit)


@pages.post(_PATH, Permission.WORKSPACE_WRITE)
async def rename_workspace(visit: Visit) -> Answer:
    """Another name, for everybody in it."""
    try:
        change = visit.form.read(RenameWorkspace, blank="")
        async with visit.writing() as tx:
            await workspaces.rename_workspace(tx, visit.actor, change=change)
    except AppError as error:
        if error.status >= _FAULT:
            raise
        return await _page(visit, visit.form.refused(error), error.status)
    return Redirect(_PATH, [Toast(f"The workspace is called {change.name} now.")])


async def _page(visit: Visit, form: Form | None = None, status: int = 200) -> Page:
    async with visit.reading() as tx:
        workspace = await queries.get_workspace(tx, visit.actor)
    context = {"workspace": workspace, "form": form or Form.of({"name": workspace.name})}
    return Page("settings/workspace.html", context, status)
