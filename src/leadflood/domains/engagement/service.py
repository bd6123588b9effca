"""Verbs on engagements: record, delete, import, and change their settings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pydantic import JsonValue, ValidationError

from leadflood.domains.engagement import queries, store
from leadflood.domains.engagement.contracts import (
    EngagementEntry,
    EngagementResult,
    EngagementSettings,
    EngagementView,
    ImportedEngagements,
    RecordEngagement,
    UpdateEngagementSettings,
)
from leadflood.domains.engagement.errors import (
    DuplicateExternalKey,
    EngagementNotFound,
    EngagementSettingsConflict,
    InvalidBorders,
    NoEngagementColumns,
    PointsRequired,
    TooManyEngagements,
    TooManyKinds,
)
from leadflood.domains.engagement.events import ENGAGEMENT, EngagementAuditAction
from leadflood.domains.engagement.models import MAX_ENGAGEMENTS, MAX_KINDS, EngagementSource, Rules
from leadflood.domains.engagement.permissions import ENGAGEMENT_CONFIGURE, ENGAGEMENT_WRITE
from leadflood.domains.engagement.store import NewEngagement
from leadflood.domains.identity.service import audit
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads import service as lead_service
from leadflood.domains.leads.errors import LeadNotFound
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.delimited_lines import MissingColumns, named_cells
from leadflood.kernel.email_address import parse_email
from leadflood.kernel.schema import field_errors
from leadflood.kernel.text import InvalidValue

_HEADERS: Final = {
    "email": frozenset({"email", "e-mail", "mail", "email address"}),
    "kind": frozenset({"kind", "event", "type", "activity"}),
    "at": frozenset({"at", "date", "time", "occurred at"}),
    "points": frozenset({"points", "score"}),
    "note": frozenset({"note", "comment"}),
    "externalKey": frozenset({"key", "external key", "externalkey", "id"}),
}
_OPTIONAL: Final = frozenset({"points", "note", "externalKey"})
_SHOWN: Final = 200


async def record_engagement(
    tx: Transaction, actor: Actor, *, lead_id: UUID, command: RecordEngagement, source: EngagementSource
) -> EngagementView:
    """Record what a lead did. An engagement that is recorded already stays as it is.

    Raises: leadflood.domains.leads.errors.LeadNotFound, PointsRequired, DuplicateExternalKey, TooManyEngagements.
    """
    actor.require(ENGAGEMENT_WRITE)
    if not await lead_service.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise LeadNotFound
    rules = await _kept_rules(tx, actor)
    points = command.points if command.points is not None else rules.points_of(command.kind)
    if points is None:
        raise PointsRequired(command.kind)
    at = command.at or utc_now()
    existing = await queries.same_engagement(
        tx, actor, lead_id=lead_id, kind=command.kind, at=at, external_key=command.external_key
    )
    if existing is None and await queries.full_leads(tx, actor, lead_ids=[lead_id], most=MAX_ENGAGEMENTS):
        raise TooManyEngagements(MAX_ENGAGEMENTS)
    new = NewEngagement(lead_id, command.kind, points, at, command.note or None, command.external_key)
    (made,) = await store.insert(tx, actor, engagements=[new], source=source)
    if made is not None:
        await store.add_up(tx, actor.workspace_id, [lead_id], half_life_days=rules.half_life_days)
        data: dict[str, JsonValue] = {"leadId": str(lead_id), "kind": new.kind, "points": points}
        await _record(tx, actor, EngagementAuditAction.RECORDED, made, **data)
        return await queries.get_engagement(tx, actor, engagement_id=made)
    existing = existing or await queries.same_engagement(
        tx, actor, lead_id=lead_id, kind=command.kind, at=at, external_key=command.external_key
    )
    if existing is None:  # deleted since the insertion met it
        raise EngagementNotFound
    found = await queries.get_engagement(tx, actor, engagement_id=existing)
    if found.lead_id != lead_id:
        raise DuplicateExternalKey(found.id)
    return found


async def delete_engagement(tx: Transaction, actor: Actor, *, engagement_id: UUID) -> UUID:
    """Delete an engagement. Returns the ID of its lead. Raises: EngagementNotFound."""
    actor.require(ENGAGEMENT_WRITE)
    lead_id = (await queries.get_engagement(tx, actor, engagement_id=engagement_id)).lead_id
    if not await lead_service.lock_lead_ids(tx, actor, lead_ids=[lead_id]):
        raise EngagementNotFound
    rules = await _kept_rules(tx, actor)
    row = await store.delete(tx, actor.workspace_id, engagement_id, lead_id=lead_id)
    if row is None:
        raise EngagementNotFound
    await store.add_up(tx, actor.workspace_id, [lead_id], half_life_days=rules.half_life_days)
    data: dict[str, JsonValue] = {"leadId": str(lead_id), "kind": row.kind, "points": row.points}
    await _record(tx, actor, EngagementAuditAction.DELETED, engagement_id, **data)
    return lead_id


async def update_settings(
    tx: Transaction, actor: Actor, *, command: UpdateEngagementSettings, expected_version: int
) -> EngagementSettings:
    """Change half-life, borders of levels, or points of kinds. Another half-life adds up all engagements again.

    Raises: EngagementSettingsConflict, InvalidBorders, TooManyKinds.
    """
    actor.require(ENGAGEMENT_CONFIGURE)
    await store.lock_settings(tx, actor.workspace_id)
    stored = await queries.settings(tx, actor)
    if stored.version != expected_version:
        raise EngagementSettingsConflict(stored.version)
    points = {**stored.own_points, **(command.points or {})}
    changed = EngagementSettings(
        half_life_days=command.half_life_days or stored.half_life_days,
        level_1_from=command.level_1_from or stored.level_1_from,
        level_2_from=command.level_2_from or stored.level_2_from,
        own_points={kind: given for kind, given in points.items() if given is not None},
        version=stored.version + 1,
    )
    if changed.level_2_from > changed.level_1_from:
        raise InvalidBorders
    if len(changed.own_points) > MAX_KINDS:
        raise TooManyKinds(MAX_KINDS)
    await store.save_settings(
        tx,
        actor.workspace_id,
        half_life_days=changed.half_life_days,
        borders=(changed.level_1_from, changed.level_2_from),
        points=json.dumps(changed.own_points),
    )
    if changed.half_life_days != stored.half_life_days:
        await store.add_up_all(tx, actor.workspace_id, half_life_days=changed.half_life_days)
    action = EngagementAuditAction.CONFIGURED
    await audit.record(tx, actor, action=action, subject_type=ENGAGEMENT, data={"count": 1})
    return await queries.settings(tx, actor)


async def import_engagements(
    tx: Transaction, actor: Actor, *, entries: Sequence[object], source: EngagementSource
) -> ImportedEngagements:
    """Record engagements of leads by email, up to 1,000, with a number of statements that does not depend on theirs.

    An entry that fails does not affect others. Those recorded before stay as they are.
    """
    actor.require(ENGAGEMENT_WRITE)
    read = [_read(entry) for entry in entries]
    valid = [item for item in read if isinstance(item, EngagementEntry)]
    addresses = {item.email: _address(item.email) for item in valid}
    ids = await leads.ids_by_email(tx, actor, addresses=[each for each in addresses.values() if each])
    locked = await lead_service.lock_lead_ids(tx, actor, lead_ids=sorted(ids.values())) if ids else set()
    known = _Known(
        {email: lead_id for email, address in addresses.items() if (lead_id := ids.get(address or "")) in locked},
        await _kept_rules(tx, actor),
        await queries.full_leads(tx, actor, lead_ids=sorted(locked), most=MAX_ENGAGEMENTS),
        await queries.leads_by_key(tx, actor, keys={item.external_key for item in valid if item.external_key}),
    )
    planned = [known.planned(item) if isinstance(item, EngagementEntry) else item for item in read]
    wanted: dict[tuple[object, ...], tuple[int, NewEngagement]] = {}
    for place, new in enumerate(planned):
        if isinstance(new, NewEngagement):
            wanted.setdefault(new.identity, (place, new))
    made = await store.insert(tx, actor, engagements=[new for _, new in wanted.values()], source=source)
    created = {place: new for (place, new), each in zip(wanted.values(), made, strict=True) if each is not None}
    changed = [new.lead_id for new in created.values()]
    await store.add_up(tx, actor.workspace_id, changed, half_life_days=known.rules.half_life_days)
    if created:
        data: dict[str, JsonValue] = {"count": len(created)}
        await audit.record(tx, actor, action=EngagementAuditAction.IMPORTED, subject_type=ENGAGEMENT, data=data)
    return _imported(entries, planned, set(created))


@dataclass
class _Known:
    """Facts that decide about the entries of a list: leads by email, points of kinds, full leads, and leads by key."""

    leads: Mapping[str, UUID]
    rules: Rules
    full: set[UUID]
    owners: dict[str, UUID]

    def planned(self, item: EngagementEntry) -> NewEngagement | EngagementResult:
        """The engagement of an entry, or why there is none."""
        lead_id = self.leads.get(item.email)
        if lead_id is None:
            return _failed(item.email, "email: No lead has this email.")
        points = item.points if item.points is not None else self.rules.points_of(item.kind)
        if points is None:
            return _failed(item.email, f"points: {PointsRequired(item.kind)}")
        if item.external_key and self.owners.setdefault(item.external_key, lead_id) != lead_id:
            return _failed(item.email, "externalKey: Belongs to an engagement of another lead. Use another key.")
        if lead_id in self.full:
            return _failed(item.email, str(TooManyEngagements(MAX_ENGAGEMENTS)))
        return NewEngagement(lead_id, item.kind, points, item.at, item.note or None, item.external_key)


def _imported(
    entries: Sequence[object], planned: Sequence[NewEngagement | EngagementResult], created: set[int]
) -> ImportedEngagements:
    results = [
        each
        if isinstance(each, EngagementResult)
        else EngagementResult(email=_email(entries[place]), status="created" if place in created else "unchanged")
        for place, each in enumerate(planned)
    ]
    states = [each.status for each in results]
    return ImportedEngagements(
        created=states.count("created"),
        unchanged=states.count("unchanged"),
        failed=states.count("failed"),
        results=results,
    )


def entries_of(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, str | int]]]:
    """The entries of a CSV file with the numbers of their lines, as input of `import_engagements`.

    The first row names the columns. Empty cells are left out.

    Raises: NoEngagementColumns: columns are missing.
    """
    try:
        for number, cells in named_cells(lines, _HEADERS, optional=_OPTIONAL):
            entry: dict[str, str | int] = {name: cell for name, cell in cells.items() if cell}
            points = cells.get("points", "")
            if points.removeprefix("-").isdecimal() and points.isascii():
                entry["points"] = int(points[:10])
            yield number, entry
    except MissingColumns as error:
        raise NoEngagementColumns(error.names) from None


async def _kept_rules(tx: Transaction, actor: Actor) -> Rules:
    """Rules of the workspace, which stay as they are until the end of the transaction."""
    await store.keep_settings(tx, actor.workspace_id)
    return await queries.rules(tx, actor)


def _read(entry: object) -> EngagementEntry | EngagementResult:
    try:
        return EngagementEntry.model_validate(entry)
    except ValidationError as error:
        faults = (f"{fault.pointer.removeprefix('/')}: {fault.message}" for fault in field_errors(error))
        return _failed(_email(entry), " ".join(faults))


def _failed(email: str | None, reason: str) -> EngagementResult:
    return EngagementResult(email=email[:_SHOWN] if email else None, status="failed", reason=reason)


def _email(entry: object) -> str | None:
    given = entry.get("email") if isinstance(entry, Mapping) else None
    return given[:_SHOWN] if isinstance(given, str) else None


def _address(email: str) -> str | None:
    """The normalized address; None if it is not valid, so that no lead has it."""
    try:
        return parse_email(email.strip()).norm
    except InvalidValue:
        return None


async def _record(
    tx: Transaction, actor: Actor, action: EngagementAuditAction, engagement_id: UUID, **data: JsonValue
) -> None:
    whole = {"count": 1, **data}
    await audit.record(tx, actor, action=action, subject_type=ENGAGEMENT, subject_id=engagement_id, data=whole)
