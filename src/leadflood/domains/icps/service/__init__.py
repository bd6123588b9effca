"""Verbs on profiles: create, edit the draft, delete."""

import json
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.icps import queries, store
from leadflood.domains.icps.contracts.bodies import ProfileBody, read_profile
from leadflood.domains.icps.contracts.icps import MAX_ICPS, CreateIcp, IcpView, SaveDraft, UpdateIcp
from leadflood.domains.icps.errors import DuplicateIcp, IcpNotFound, IcpVersionConflict, TooManyIcps
from leadflood.domains.icps.events import ICP, ICP_DELETED, IcpAuditAction, IcpData
from leadflood.domains.icps.permissions import ICPS_PUBLISH, ICPS_WRITE
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs.publishing import publish
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event
from leadflood.kernel.text import search_key

_BODY: Final = "/body"


async def create_icp(tx: Transaction, actor: Actor, *, command: CreateIcp) -> IcpView:
    """Create a profile with a draft. Raises: InvalidInput, DuplicateIcp, TooManyIcps."""
    actor.require(ICPS_WRITE)
    await store.lock_all(tx, actor.workspace_id)
    if len(await queries.list_icps(tx, actor)) >= MAX_ICPS:
        raise TooManyIcps(MAX_ICPS)
    await _require_free(tx, actor, command.name)
    icp_id = await store.insert_icp(tx, actor.workspace_id, name=command.name, name_key=search_key(command.name))
    await _save(tx, actor, icp_id, command.body)
    await record(tx, actor, IcpAuditAction.CREATED, icp_id)
    return await queries.get_icp(tx, actor, icp_id=icp_id)


async def update_icp(
    tx: Transaction, actor: Actor, *, icp_id: UUID, command: UpdateIcp, expected_version: int
) -> IcpView:
    """Rename a profile, or make it the main one. Raises: IcpNotFound, IcpVersionConflict, DuplicateIcp."""
    actor.require(ICPS_WRITE)
    if command.main:
        actor.require(ICPS_PUBLISH)
    await store.lock_all(tx, actor.workspace_id)
    stored = await lock_icp(tx, actor, icp_id, expected_version)
    name, is_main = command.name or stored.name, bool(command.main or stored.is_main)
    if (name, is_main) != (stored.name, stored.is_main):
        if search_key(name) != search_key(stored.name):
            await _require_free(tx, actor, name)
        key = search_key(name)
        await store.update_icp(tx, actor.workspace_id, icp_id, name=name, name_key=key, is_main=is_main)
        await record(tx, actor, IcpAuditAction.CHANGED, icp_id)
    return await queries.get_icp(tx, actor, icp_id=icp_id)


async def save_draft(
    tx: Transaction, actor: Actor, *, icp_id: UUID, command: SaveDraft, expected_version: int
) -> IcpView:
    """Replace the draft, or begin one. What is published stays.

    Raises: InvalidInput, IcpNotFound, IcpVersionConflict.
    """
    actor.require(ICPS_WRITE)
    await lock_icp(tx, actor, icp_id, expected_version)
    await _save(tx, actor, icp_id, command.body)
    await record(tx, actor, IcpAuditAction.DRAFTED, icp_id)
    return await queries.get_icp(tx, actor, icp_id=icp_id)


async def delete_icp(tx: Transaction, actor: Actor, *, icp_id: UUID) -> None:
    """Delete a profile. Its scores are no longer shown, and a job deletes them. Raises: IcpNotFound."""
    actor.require(ICPS_PUBLISH)
    await lock_icp(tx, actor, icp_id)
    await store.delete_icp(tx, actor.workspace_id, icp_id)
    await publish(tx, ICP_DELETED, [Event(icp_id, IcpData(), actor)])
    await record(tx, actor, IcpAuditAction.DELETED, icp_id)


async def lock_icp(tx: Transaction, actor: Actor, icp_id: UUID, expected_version: int | None = None) -> Row:
    """Lock a profile. Raises: IcpNotFound, IcpVersionConflict."""
    stored = await store.lock_icp(tx, actor.workspace_id, icp_id)
    if stored is None:
        raise IcpNotFound
    if expected_version is not None and stored.version != expected_version:
        raise IcpVersionConflict(stored.version)
    return stored


async def record(tx: Transaction, actor: Actor, action: IcpAuditAction, icp_id: UUID, **data: JsonValue) -> None:
    """Write an entry of the audit log about a profile."""
    await audit.record(tx, actor, action=action, subject_type=ICP, subject_id=icp_id, data=data)


async def _save(tx: Transaction, actor: Actor, icp_id: UUID, body: ProfileBody) -> None:
    catalog = await queries.catalog_of(tx, actor)
    profile = read_profile(body, catalog, _BODY)
    shapes = json.dumps(queries.shapes_of(profile, catalog))
    await store.save_draft(tx, actor.workspace_id, icp_id, body=json.dumps(body.written()), shapes=shapes)


async def _require_free(tx: Transaction, actor: Actor, name: str) -> None:
    existing = await queries.icp_named(tx, actor, name_key=search_key(name))
    if existing is not None:
        raise DuplicateIcp(name, existing)
