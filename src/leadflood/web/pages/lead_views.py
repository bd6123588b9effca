"""Saved views of the list of leads: kept, changed, shared and removed."""

from typing import Any
from urllib.parse import parse_qsl

from leadflood.domains.leads.contracts.views import CreateView, SavedView, UpdateView
from leadflood.domains.leads.queries.views import get_view
from leadflood.domains.leads.service import views
from leadflood.kernel.actor import Permission
from leadflood.web.answers import Answer, Redirect
from leadflood.web.forms import validated
from leadflood.web.pages.leads_state import ListState
from leadflood.web.pipeline import Pages
from leadflood.web.session import Toast
from leadflood.web.visit import Visit

pages = Pages()


@pages.post("/leads/views", Permission.LEADS_WRITE)
async def save_view(visit: Visit) -> Answer:
    """Keep what the list shows now under a name."""
    given = {"name": visit.form.value("name"), "shared": visit.form.checked("shared"), **_shown(visit)}
    async with visit.writing() as tx:
        view = await views.create_view(tx, visit.actor, command=validated(CreateView, given))
    return Redirect(ListState.of_view(view).url(), [Toast(f"View “{view.name}” saved.")])


@pages.post("/leads/views/{id}", Permission.LEADS_WRITE)
async def change_view(visit: Visit) -> Answer:
    """Give the view another name, share it or not, or keep in it what the list shows now."""
    form = visit.form
    given: dict[str, Any] = _shown(visit) if "query" in form.fields else {}
    if "name" in form.fields:
        given |= {"name": form.value("name"), "shared": form.checked("shared")}
    async with visit.writing() as tx:
        before = await get_view(tx, visit.actor, view_id=visit.id())
        view = await views.update_view(
            tx,
            visit.actor,
            view_id=visit.id(),
            command=validated(UpdateView, given),
            expected_version=before.version,
        )
    return Redirect(ListState.of_view(view).url(), [Toast(f"View “{view.name}” saved.")])


@pages.post("/leads/views/{id}/removals", Permission.LEADS_WRITE)
async def remove_view(visit: Visit) -> Answer:
    """Remove the view; the leads stay."""
    async with visit.writing() as tx:
        before: SavedView = await get_view(tx, visit.actor, view_id=visit.id())
        await views.delete_view(tx, visit.actor, view_id=visit.id(), expected_version=before.version)
    return Redirect("/leads", [Toast(f"View “{before.name}” removed. The leads are untouched.")])


def _shown(visit: Visit) -> dict[str, Any]:
    state = ListState.read(parse_qsl(visit.form.value("query"), keep_blank_values=True))
    return {"filter": state.query(visit.now), "sort": state.sort.value, "columns": list(state.columns)}
