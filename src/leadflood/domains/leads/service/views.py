"""Verbs on saved views. The creator can change a view; all members see it if it is shared."""

from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.permissions import ACCOUNT
from leadflood.domains.identity.service import audit
from leadflood.domains.leads.contracts.views import (
    MAX_VIEW_NAME,
    MAX_VIEWS,
    CreateView,
    DefaultView,
    SavedView,
    SetDefaultView,
    UpdateView,
)
from leadflood.domains.leads.errors import (
    TooManyViews,
    UserActorRequired,
    ViewNotFound,
    ViewNotOwned,
    ViewVersionConflict,
)
from leadflood.domains.leads.events import VIEW, LeadAuditAction
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.views import get_default_view, get_view, may_change
from leadflood.domains.leads.store import views as store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.filters import written
from leadflood.kernel.ids import new_id

_COPY: Final = " (copy)"


async def create_view(tx: Transaction, actor: Actor, *, command: CreateView) -> SavedView:
    """Save a view, last in the user's order. Raises: TooManyViews, UserActorRequired: at the command line."""
    actor.require(LEADS_WRITE)
    if actor.user_id is None:
        raise UserActorRequired
    own = await store.lock_own(tx, actor)
    if len(own) >= MAX_VIEWS:
        raise TooManyViews(MAX_VIEWS)
    view_id = new_id()
    await store.insert_view(
        tx,
        {
            "workspace_id": actor.workspace_id,
            "id": view_id,
            "user_id": actor.user_id,
            "name": command.name,
            "shared": command.shared,
            "tree": written(command.filter.lead_filter().whole),
            "sort": command.sort,
            "columns": command.columns,
            "widths": command.column_widths,
            "layout": command.layout,
            "position": len(own),
        },
    )
    await store.order_views(tx, actor.workspace_id, [*own, view_id])
    await _record(tx, actor, LeadAuditAction.VIEW_CREATED, view_id, command.name)
    return await get_view(tx, actor, view_id=view_id)


async def copy_view(tx: Transaction, actor: Actor, *, view_id: UUID) -> SavedView:
    """Save a view of one's own that is the same as another. Raises: ViewNotFound, TooManyViews, UserActorRequired."""
    actor.require(LEADS_WRITE)
    view = await get_view(tx, actor, view_id=view_id)
    name = f"{view.name[: MAX_VIEW_NAME - len(_COPY)].rstrip()}{_COPY}"
    given = view.model_dump(include={"filter", "sort", "columns", "column_widths", "layout"}, by_alias=True)
    command = CreateView.model_validate({**given, "name": name})
    return await create_view(tx, actor, command=command)


async def update_view(
    tx: Transaction, actor: Actor, *, view_id: UUID, command: UpdateView, expected_version: int
) -> SavedView:
    """Update a view or its position. Raises: ViewNotFound, ViewNotOwned, ViewVersionConflict."""
    actor.require(LEADS_WRITE)
    own = await store.lock_own(tx, actor) if command.position is not None else []
    stored = await _own(tx, actor, view_id, expected_version)
    values: dict[str, Any] = {
        name: getattr(command, name) for name in command.model_fields_set - {"position", "filter", "column_widths"}
    }
    if command.column_widths is not None:
        values["widths"] = command.column_widths
    if command.filter is not None:
        values["tree"] = written(command.filter.lead_filter().whole)
    expect_changed(
        await store.update_view(tx, actor.workspace_id, view_id, expected_version=expected_version, values=values)
    )
    if command.position is not None and not stored.of_workspace:
        own.remove(view_id)
        own.insert(command.position, view_id)
        await store.order_views(tx, actor.workspace_id, own)
    changed = await get_view(tx, actor, view_id=view_id)
    await _record(tx, actor, LeadAuditAction.VIEW_UPDATED, view_id, changed.name)
    return changed


async def delete_view(tx: Transaction, actor: Actor, *, view_id: UUID, expected_version: int) -> None:
    """Delete a view; it can be restored. Raises: ViewNotFound, ViewNotOwned, ViewVersionConflict."""
    actor.require(LEADS_WRITE)
    view = await _own(tx, actor, view_id, expected_version)
    expect_changed(await store.set_deleted(tx, actor.workspace_id, view_id, deleted=True))
    await _record(tx, actor, LeadAuditAction.VIEW_DELETED, view_id, view.name)


async def restore_view(tx: Transaction, actor: Actor, *, view_id: UUID) -> SavedView:
    """Show a deleted view again, last among one's own; one that is not deleted stays as it is.

    Raises: ViewNotFound, ViewNotOwned, TooManyViews.
    """
    actor.require(LEADS_WRITE)
    own = await store.lock_own(tx, actor)
    stored = await store.lock_view(tx, actor.workspace_id, view_id, deleted=True)
    if stored is not None:
        _require_mine(actor, stored)
        if not stored.of_workspace and len(own) >= MAX_VIEWS:
            raise TooManyViews(MAX_VIEWS)
        expect_changed(await store.set_deleted(tx, actor.workspace_id, view_id, deleted=False))
        if not stored.of_workspace:
            await store.order_views(tx, actor.workspace_id, [*own, view_id])
        await _record(tx, actor, LeadAuditAction.VIEW_RESTORED, view_id, stored.name)
    return await get_view(tx, actor, view_id=view_id)


async def set_default_view(tx: Transaction, actor: Actor, *, command: SetDefaultView) -> DefaultView:
    """Open the list of leads with a view from now on, in this workspace. Raises: ViewNotFound, UserActorRequired."""
    actor.require(ACCOUNT)
    if actor.user_id is None:
        raise UserActorRequired
    name = str(command.built_in)
    if command.view_id is not None:
        name = (await get_view(tx, actor, view_id=command.view_id)).name
    await store.set_default(tx, actor.workspace_id, actor.user_id, view_id=command.view_id, built_in=command.built_in)
    await _record(tx, actor, LeadAuditAction.DEFAULT_VIEW_SET, command.view_id, name)
    return await get_default_view(tx, actor)


async def clear_default_view(tx: Transaction, actor: Actor) -> None:
    """Open the list with all leads again. Raises: UserActorRequired."""
    actor.require(ACCOUNT)
    if actor.user_id is None:
        raise UserActorRequired
    if await store.clear_default(tx, actor.workspace_id, actor.user_id):
        await _record(tx, actor, LeadAuditAction.DEFAULT_VIEW_CLEARED, None, "")


async def _own(tx: Transaction, actor: Actor, view_id: UUID, expected_version: int) -> Row:
    stored = await store.lock_view(tx, actor.workspace_id, view_id)
    if stored is None:
        raise ViewNotFound
    _require_mine(actor, stored)
    if stored.version != expected_version:
        raise ViewVersionConflict(stored.version)
    return stored


def _require_mine(actor: Actor, stored: Row) -> None:
    if not may_change(actor, stored):
        raise ViewNotOwned if stored.shared else ViewNotFound


async def _record(tx: Transaction, actor: Actor, action: LeadAuditAction, view_id: UUID | None, name: str) -> None:
    data: dict[str, JsonValue] = {"count": 1, "name": name}
    await audit.record(tx, actor, action=action, subject_type=VIEW, subject_id=view_id, data=data)
