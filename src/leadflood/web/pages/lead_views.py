"""Saved views of the list of leads: create, update, share, copy, delete and restore; the user's default view."""

from typing import Any
from urllib.parse import parse_qsl

from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.leads.contracts.views import BuiltInView, CreateView, SetDefaultView, UpdateView
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.views import get_view
from leadflood.domains.leads.service import views
from leadflood.web.cookies import Toast, local_path
from leadflood.web.forms import validated
from leadflood.web.page_context import PageContext
from leadflood.web.pages.lead_list_params import ALL, ALL_LEADS, BUILT_IN, LeadListParams
from leadflood.web.pipeline import Pages
from leadflood.web.responses import PageResult, Redirect

pages = Pages()


@pages.post("/leads/views", LEADS_WRITE)
async def save_view(ctx: PageContext) -> PageResult:
    """Save the current list as a view."""
    given = {"name": ctx.form.value("name"), "shared": ctx.form.checked("shared"), **_shown(ctx)}
    async with ctx.writing() as tx:
        view = await views.create_view(tx, ctx.actor, command=validated(CreateView, given))
    return Redirect(LeadListParams.of_view(view).url(), [Toast(f"View “{view.name}” saved.")])


@pages.post("/leads/default-view", ACCOUNT)
async def set_default(ctx: PageContext) -> PageResult:
    """Open the list with this view from now on. `view`: its ID, the name of a built-in one, or `all`."""
    chosen, back = ctx.form.value("view"), local_path(ctx.form.value("next"), ALL_LEADS)
    if chosen == ALL:
        async with ctx.writing() as tx:
            await views.clear_default_view(tx, ctx.actor)
        return Redirect(back, [Toast("Leads opens with all leads.")])
    is_built_in = chosen in set(BuiltInView)
    given = {"builtIn": chosen} if is_built_in else {"viewId": chosen}
    command = validated(SetDefaultView, given)
    async with ctx.writing() as tx:
        await views.set_default_view(tx, ctx.actor, command=command)
        saved = await get_view(tx, ctx.actor, view_id=command.view_id) if command.view_id else None
    name = saved.name if saved else BUILT_IN[BuiltInView(chosen)][0]
    return Redirect(back, [Toast(f"Leads opens with “{name}”.")])


@pages.post("/leads/views/{id}", LEADS_WRITE)
async def change_view(ctx: PageContext) -> PageResult:
    """Rename the view, change its sharing, or update it with the current list."""
    form = ctx.form
    given: dict[str, Any] = _shown(ctx) if "query" in form.fields else {}
    if "name" in form.fields:
        given |= {"name": form.value("name"), "shared": form.checked("shared")}
    async with ctx.writing() as tx:
        before = await get_view(tx, ctx.actor, view_id=ctx.id())
        view = await views.update_view(
            tx,
            ctx.actor,
            view_id=ctx.id(),
            command=validated(UpdateView, given),
            expected_version=before.version,
        )
    return Redirect(LeadListParams.of_view(view).url(), [Toast(f"View “{view.name}” saved.")])


@pages.post("/leads/views/{id}/copies", LEADS_WRITE)
async def copy_view(ctx: PageContext) -> PageResult:
    """Create a view of one's own that is the same as this one."""
    async with ctx.writing() as tx:
        copied = await views.copy_view(tx, ctx.actor, view_id=ctx.id())
    return Redirect(LeadListParams.of_view(copied).url(), [Toast(f"View “{copied.name}” created.")])


@pages.post("/leads/views/{id}/removals", LEADS_WRITE)
async def delete_view(ctx: PageContext) -> PageResult:
    """Delete the view; leads aren't affected. The toast offers to restore it."""
    async with ctx.writing() as tx:
        before = await get_view(tx, ctx.actor, view_id=ctx.id())
        await views.delete_view(tx, ctx.actor, view_id=ctx.id(), expected_version=before.version)
    return Redirect(ALL_LEADS, [Toast(f"View “{before.name}” deleted.", undo=f"/leads/views/{before.id}/restorations")])


@pages.post("/leads/views/{id}/restorations", LEADS_WRITE)
async def restore_view(ctx: PageContext) -> PageResult:
    """Restore a deleted view."""
    async with ctx.writing() as tx:
        view = await views.restore_view(tx, ctx.actor, view_id=ctx.id())
    return Redirect(LeadListParams.of_view(view).url(), [Toast(f"View “{view.name}” restored.")])


def _shown(ctx: PageContext) -> dict[str, Any]:
    state = LeadListParams.read(parse_qsl(ctx.form.value("query"), keep_blank_values=True))
    return {
        "filter": state.query,
        "sort": state.sort.value,
        "columns": list(state.columns),
        "columnWidths": dict(state.widths),
        "layout": state.layout.value,
    }
