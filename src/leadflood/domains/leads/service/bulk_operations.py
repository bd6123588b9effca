"""Bulk operations of other domains on leads, as part of a changeset."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import JsonValue, ValidationError

from leadflood.domains.leads.contracts.bulk import BulkChange
from leadflood.domains.leads.extensions import LEAD_EXTENSIONS
from leadflood.domains.leads.store import changesets, undo
from leadflood.kernel.actor import Actor
from leadflood.kernel.changesets import UndoStep
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import InvalidInput
from leadflood.kernel.extensions import Batch, BulkOperation, UndoBatch
from leadflood.kernel.schema import field_errors


def operation_of(command: BulkChange) -> BulkOperation | None:
    """The operation of a command; None for actions of leads."""
    return LEAD_EXTENSIONS.operations.get(command.action)


async def prepare(tx: Transaction, actor: Actor, command: BulkChange) -> tuple[BulkChange, str]:
    """Validate the operation. Returns the command with the arguments to store, and the label of its changeset.

    Raises: InvalidInput, leadflood.kernel.actor.MissingPermission, and what the operation raises.
    """
    operation = operation_of(command)
    if operation is None:
        return command, command.label
    actor.require(operation.permission)
    prepared = await operation.prepare(tx, actor, _arguments(operation, command.arguments or {}))
    return command.model_copy(update={"arguments": dict(prepared.arguments)}), prepared.label


async def apply(tx: Transaction, operation: BulkOperation, batch: Batch) -> int:
    """Change locked leads and store the data for an undo, unless the operation does. Returns the number of leads."""
    changed = await operation.apply(tx, batch)
    if changed and not operation.writes:
        workspace_id = batch.actor.workspace_id
        await changesets.record_related(tx, workspace_id, batch.changeset_id, operation.name, changed)
    return len(changed)


async def undo_chunk(tx: Transaction, step: UndoStep) -> set[UUID]:
    """Revert the operations on the locked leads of a chunk. Returns the changed leads."""
    reversed_: set[UUID] = set()
    for name, changed in (await undo.related_changes(tx, step)).items():
        operation = LEAD_EXTENSIONS.operations.get(name)
        if operation is not None:
            reversed_ |= set(await operation.undo(tx, UndoBatch(step.by, step.changeset_id, changed, step.trace)))
    return reversed_


def _arguments(operation: BulkOperation, given: Mapping[str, JsonValue]) -> Any:  # noqa: ANN401  the operation's contract
    try:
        return operation.arguments.model_validate(given)
    except ValidationError as error:
        detail = "The arguments are not valid."
        raise InvalidInput(detail, errors=field_errors(error, "/arguments")) from error
