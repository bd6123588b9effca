"""Verbs on saved views. The creator may change a view; all members see it if it is shared."""

from typing import Any
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.leads.contracts.views import MAX_VIEWS, CreateView, SavedView, UpdateView
from leadflood.domains.leads.errors import (
    TooManyViews,
    UserActorRequired,
    ViewNotFound,
    ViewNotOwned,
    ViewVersionConflict,
)
from leadflood.domains.leads.events import VIEW, LeadAuditAction
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.views import get_view, may_change
from leadflood.domains.leads.store import views as store
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import expect_changed
from leadflood.kernel.filters import written
from leadflood.kernel.ids import new_id


async def create_view(tx: Transaction, actor: Actor, *, command: CreateView) -> SavedView:
    """Save a view, last among one's own. Raises: TooManyViews, ViewsNeedPerson: at the command line."""
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
            "position": len(own),
        },
    )
    await store.order_views(tx, actor.workspace_id, [*own, view_id])
    await _record(tx, actor, LeadAuditAction.VIEW_CREATED, view_id, command.name)
    return await get_view(tx, actor, view_id=view_id)


async def update_view(
    tx: Transaction, actor: Actor, *, view_id: UUID, command: UpdateView, expected_version: int
) -> SavedView:
    """Change what the command gives, or the view's place. Raises: ViewNotFound, ViewOfSomebodyElse, ViewChanged."""
    actor.require(LEADS_WRITE)
    own = await store.lock_own(tx, actor) if command.position is not None else []
    stored = await _own(tx, actor, view_id, expected_version)
    values: dict[str, Any] = {
        name: getattr(command, name) for name in command.model_fields_set - {"position", "filter"}
    }
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
    await _record(tx, actor, LeadAuditAction.VIEW_CHANGED, view_id, changed.name)
    return changed


async def delete_view(tx: Transaction, actor: Actor, *, view_id: UUID, expected_version: int) -> None:
    """Remove a view. Raises: ViewNotFound, ViewOfSomebodyElse, ViewChanged."""
    actor.require(LEADS_WRITE)
    view = await _own(tx, actor, view_id, expected_version)
    await store.delete_view(tx, actor.workspace_id, view_id)
    await _record(tx, actor, LeadAuditAction.VIEW_DELETED, view_id, view.name)


async def _own(tx: Transaction, actor: Actor, view_id: UUID, expected_version: int) -> Row:
    stored = await store.lock_view(tx, actor.workspace_id, view_id)
    mine = stored is not None and may_change(actor, stored)
    if stored is None or not (mine or stored.shared):
        raise ViewNotFound
    if not mine:
        raise ViewNotOwned
    if stored.version != expected_version:
        raise ViewVersionConflict(stored.version)
    return stored


async def _record(tx: Transaction, actor: Actor, action: LeadAuditAction, view_id: UUID, name: str) -> None:
    data: dict[str, JsonValue] = {"count": 1, "name": name}
    await audit.record(tx, actor, action=action, subject_type=VIEW, subject_id=view_id, data=data)
