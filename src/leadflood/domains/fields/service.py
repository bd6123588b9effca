"""Verbs on custom fields, and parsing of values by their types."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.fields import queries, store
from leadflood.domains.fields.contracts import CreateField, FieldView, UpdateField, options_of, require_options
from leadflood.domains.fields.errors import (
    DuplicateField,
    FieldNotFound,
    FieldVersionConflict,
    TooManyFields,
    ValuesDoNotFit,
)
from leadflood.domains.fields.events import CONVERT_VALUES, FIELD, AuditAction, ConvertValues
from leadflood.domains.fields.models import MAX_FIELDS, MAX_LABEL, CustomField, key_of
from leadflood.domains.identity import queries as identity
from leadflood.domains.identity.permissions import WORKSPACE_WRITE
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import FieldError, InvalidInput, expect_changed
from leadflood.kernel.events import NO_TRACE
from leadflood.kernel.field_types import FieldType, FieldValue, Option
from leadflood.kernel.ids import new_id
from leadflood.kernel.schema import pointer
from leadflood.kernel.text import InvalidValue


async def create_field(
    tx: Transaction, actor: Actor, *, command: CreateField, trace: Mapping[str, str] = NO_TRACE
) -> FieldView:
    """Define a custom field, last in the order. A job converts the values that its key already has.

    Raises: DuplicateField, TooManyFields.
    """
    actor.require(WORKSPACE_WRITE)
    key = command.key or key_of(command.label)
    there = await store.lock_order(tx, actor.workspace_id, command.subject)
    if key in there.values():
        raise DuplicateField(key)
    if len(there) >= MAX_FIELDS:
        raise TooManyFields(MAX_FIELDS)
    field_id = new_id()
    await store.insert_fields(
        tx,
        actor.workspace_id,
        command.subject,
        {field_id: (key, command.label)},
        kind=command.type,
        options=options_of(command.options),
        first=len(there),
    )
    await _convert(tx, actor, field_id, trace)
    await _record(tx, actor, AuditAction.CREATED, field_id, key)
    return await queries.get_field(tx, actor, field_id=field_id)


async def define_missing(tx: Transaction, actor: Actor, *, subject: str, labels: Mapping[str, str]) -> None:
    """Define the keys without a field as text fields, up to the limit. `labels`: by key."""
    there = await store.lock_order(tx, actor.workspace_id, subject)
    missing = [key for key in labels if key not in there.values()][: MAX_FIELDS - len(there)]
    if not missing:
        return
    fields = {new_id(): (key, labels[key][:MAX_LABEL]) for key in missing}
    await store.insert_fields(tx, actor.workspace_id, subject, fields, kind=FieldType.TEXT, first=len(there))
    for field_id, (key, _) in fields.items():
        await _record(tx, actor, AuditAction.CREATED, field_id, key)


async def update_field(
    tx: Transaction,
    actor: Actor,
    *,
    field_id: UUID,
    command: UpdateField,
    expected_version: int,
    trace: Mapping[str, str] = NO_TRACE,
) -> FieldView:
    """Update a field or its position. A job converts stored values to a new type.

    Raises: FieldNotFound, FieldVersionConflict, InvalidInput: options and type do not fit each other.
    """
    actor.require(WORKSPACE_WRITE)
    stored = await _lock(tx, actor, field_id, expected_version)
    values = _changes(command, FieldType(stored.type), [Option(**option) for option in stored.options])
    if command.position is not None:
        order = list(await store.lock_order(tx, actor.workspace_id, stored.subject))
        order.remove(field_id)
        order.insert(command.position, field_id)
        await store.order_fields(tx, actor.workspace_id, order)
    expect_changed(
        await store.update_field(tx, actor.workspace_id, field_id, expected_version=expected_version, values=values)
    )
    if "type" in values or "options" in values:
        await _convert(tx, actor, field_id, trace)
    await _record(tx, actor, AuditAction.UPDATED, field_id, stored.key, fields=[*sorted(values)])
    return await queries.get_field(tx, actor, field_id=field_id)


async def delete_field(tx: Transaction, actor: Actor, *, field_id: UUID, expected_version: int) -> None:
    """Delete a definition. The values stay, without label and type. Raises: FieldNotFound, FieldVersionConflict."""
    actor.require(WORKSPACE_WRITE)
    stored = await _lock(tx, actor, field_id, expected_version)
    expect_changed(await store.delete_field(tx, actor.workspace_id, field_id))
    await _record(tx, actor, AuditAction.DELETED, field_id, stored.key)


async def _lock(tx: Transaction, actor: Actor, field_id: UUID, expected_version: int) -> Row:
    """A field at the expected version. Raises: FieldNotFound, FieldVersionConflict."""
    stored = await store.lock_field(tx, actor.workspace_id, field_id)
    if stored is None:
        raise FieldNotFound
    if stored.version != expected_version:
        raise FieldVersionConflict(stored.version)
    return stored


async def people_for(
    tx: Transaction, workspace_id: UUID, fields: Mapping[str, CustomField], keys: Collection[str]
) -> Mapping[str, UUID]:
    """The members by ID and address, if one of the keys has a person field."""
    if any(key in fields and fields[key].type is FieldType.PERSON for key in keys):
        return await identity.members_by_name(tx, workspace_id)
    return {}


def typed(
    fields: Mapping[str, CustomField], values: Mapping[str, Any], people: Mapping[str, UUID], *, prefix: str = ""
) -> dict[str, FieldValue | None]:
    """Values converted to the types of their fields. A key without a field keeps its value unchanged.

    Args: prefix: RFC 6901 pointer to what holds `customFields`. Raises: ValuesDoNotFit.
    """
    result: dict[str, FieldValue | None] = {}
    faults: list[FieldError] = []
    for key, value in values.items():
        try:
            result[key] = fields[key].parse(value, people) if key in fields else value
        except InvalidValue as error:
            place = pointer(["customFields", key], prefix)
            faults.append(FieldError(place, error.code, str(error)))
    if faults:
        raise ValuesDoNotFit(faults)
    return result


def _changes(command: UpdateField, kind: FieldType, options: list[Option]) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(command, name) for name in command.model_fields_set}
    kind = command.type or kind
    if command.options is not None:
        options = values["options"] = options_of(command.options)
    elif command.type is not None and not kind.has_options:
        options = values["options"] = []
    try:
        require_options(kind, options)
    except InvalidValue as error:
        fault = FieldError("/options", error.code, str(error))
        raise InvalidInput("The options don't match the type.", errors=[fault]) from error
    return values


async def _convert(tx: Transaction, actor: Actor, field_id: UUID, trace: Mapping[str, str]) -> None:
    job = NewJob(CONVERT_VALUES, ConvertValues(field_id=field_id), field_id, trace)
    await jobs.enqueue(tx, actor, jobs=[job])


async def _record(
    tx: Transaction, actor: Actor, action: AuditAction, field_id: UUID, key: str, **more: JsonValue
) -> None:
    data: dict[str, JsonValue] = {"count": 1, "key": key, **more}
    await audit.record(tx, actor, action=action, subject_type=FIELD, subject_id=field_id, data=data)
