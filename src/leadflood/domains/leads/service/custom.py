"""Custom fields of leads: values are converted to the types that the workspace defined."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from leadflood.domains.fields import queries as fields
from leadflood.domains.fields.errors import ValuesDoNotFit
from leadflood.domains.fields.models import CustomField
from leadflood.domains.fields.service import people_for, typed
from leadflood.domains.leads.contracts import NewLead
from leadflood.domains.leads.events import LEAD
from leadflood.domains.leads.models import CustomValue, FieldSource
from leadflood.domains.leads.store import custom as store
from leadflood.domains.leads.store.history import attribute
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import AppError
from leadflood.kernel.text import InvalidValue

_BATCH = 2000


async def type_new(
    tx: Transaction, workspace_id: UUID, leads: Sequence[NewLead]
) -> tuple[list[NewLead], dict[UUID, AppError]]:
    """New leads with typed values of their custom fields; and errors of those with invalid values."""
    if not any(lead.command.custom_fields for lead in leads):
        return list(leads), {}
    known = await fields.custom_fields(tx, workspace_id, subject=LEAD)
    if not known:
        return list(leads), {}
    people = await people_for(tx, workspace_id, known, {key for lead in leads for key in lead.command.custom_fields})
    result: list[NewLead] = []
    refused: dict[UUID, AppError] = {}
    for lead in leads:
        try:
            values = typed(known, lead.command.custom_fields, people)
        except ValuesDoNotFit as error:
            refused[lead.id] = error
            values = {}
        given = {key: value for key, value in values.items() if value is not None}
        result.append(replace(lead, command=lead.command.model_copy(update={"custom_fields": given})))
    return result, refused


async def type_changes(
    tx: Transaction, workspace_id: UUID, changes: Mapping[str, CustomValue | None] | None, *, prefix: str = ""
) -> Mapping[str, CustomValue | None] | None:
    """Changes of custom fields with typed values; None removes a value. Raises: ValuesDoNotFit.

    Args: prefix: RFC 6901 pointer to what holds `customFields`.
    """
    if not changes:
        return changes
    known = await fields.custom_fields(tx, workspace_id, subject=LEAD)
    return typed(known, changes, await people_for(tx, workspace_id, known, changes), prefix=prefix)


async def convert_values(tx: Transaction, actor: Actor, *, field: CustomField, after: UUID | None) -> UUID | None:
    """Convert the values of the next leads to the type of their field; invalid values stay as they are.

    That is no change of a lead: it has another version, but no entry in its timeline.

    Returns: the last of these leads; None at the end.
    """
    found = await store.lock_values(tx, actor.workspace_id, field.key, after=after, limit=_BATCH)
    people = await people_for(tx, actor.workspace_id, {field.key: field}, [field.key])
    converted: dict[UUID, CustomValue] = {}
    for lead_id, value in found.items():
        try:
            parsed = field.parse(value, people)
        except InvalidValue:
            continue
        if parsed is not None and (type(parsed) is not type(value) or parsed != value):
            converted[lead_id] = parsed
    if converted:
        await attribute(tx, FieldSource.CONVERSION, actor_kind=actor.kind, actor_id=actor.id)
        await store.set_values(tx, actor.workspace_id, field.key, converted)
    return max(found) if len(found) == _BATCH else None
