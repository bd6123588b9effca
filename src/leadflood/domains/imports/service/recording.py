"""Audit entries of imports."""

from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.identity.service import audit
from leadflood.domains.imports.events import AUDIT_SUBJECT, ImportAuditAction
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_NOTHING: Mapping[str, JsonValue] = MappingProxyType({})


async def record(
    tx: Transaction,
    actor: Actor,
    action: ImportAuditAction,
    import_id: UUID,
    filename: str,
    data: Mapping[str, JsonValue] = _NOTHING,
) -> None:
    """Record an action on an import in the audit log, with the file name as label."""
    named = {"name": filename, **data}
    await audit.record(tx, actor, action=action, subject_type=AUDIT_SUBJECT, subject_id=import_id, data=named)


def undoable(count: int, import_id: UUID, changeset_id: UUID) -> dict[str, JsonValue]:
    """Audit details of written leads: their number, and the changeset that undoes them."""
    return {"count": count, "importId": str(import_id), "changesetId": str(changeset_id)}
