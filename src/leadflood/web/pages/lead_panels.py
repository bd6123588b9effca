"""Panels of other domains on the lead page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError, NotFound
from leadflood.kernel.extensions import Extensions, Panel
from leadflood.web.cookies import Toast
from leadflood.web.forms import Form
from leadflood.web.page_context import PageContext
from leadflood.web.responses import PageResponse, PageResult, Redirect


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """A panel with its data."""

    panel: Panel
    data: Mapping[str, Any]
    form: Form


async def load_panels(tx: Transaction, ctx: PageContext, lead_id: UUID) -> dict[str, Any]:
    """Load the panels and menu entries of the lead page that the user may see."""
    panels = await shown_panels(tx, ctx, LEAD_EXTENSIONS, lead_id)
    return {
        "main_panels": [item for item in panels if item.panel.main],
        "side_panels": [item for item in panels if not item.panel.main],
        "lead_id": lead_id,
        "actions": [action for action in LEAD_EXTENSIONS.actions if ctx.may(action.permission)],
    }


async def shown_panels(tx: Transaction, ctx: PageContext, extensions: Extensions, subject_id: UUID) -> list[ShownPanel]:
    """The panels of a subject that the user may see and that have something to show."""
    return [
        ShownPanel(panel, data, Form())
        for panel in extensions.panels
        if ctx.may(panel.permission)
        if (data := await panel.load(tx, ctx.actor, subject_id)) is not None
    ]


async def panel_response(
    ctx: PageContext, name: str, lead_id: UUID, *, toast: Toast | None = None, error: AppError | None = None
) -> PageResult:
    """Response to a form in a panel: the panel, or the lead page for browsers without JavaScript.

    Args: error: the error of the form, which is shown again. Other errors than those of the form are raised.

    Raises: NotFound, AppError.
    """
    if error is not None and (error.is_fault or isinstance(error, NotFound)):
        raise error
    toasts = [toast] if toast is not None else []
    if error is None and ctx.wants_part is None:
        return Redirect(f"/leads/{lead_id}#panel-{name}", toasts)
    panel = next(item for item in LEAD_EXTENSIONS.panels if item.name == name)
    async with ctx.reading() as tx:
        data = await panel.load(tx, ctx.actor, lead_id) or {}
    form = ctx.form.refused(error) if error is not None else Form()
    context = {"shown": ShownPanel(panel, data, form), "lead_id": lead_id}
    status = error.status if error is not None else 200
    return PageResponse("leads/panel.html", context, status, part="lead_panel", toasts=toasts)
