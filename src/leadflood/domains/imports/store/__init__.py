"""SQL that writes imports. Every change of state names the state it expects, and the job that works on it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from leadflood.domains.imports.models.states import ImportStatus
from leadflood.domains.imports.tables import import_chunks, import_mappings, import_rows, imports
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction

_CLEARED = 50_000


async def insert_import(tx: Transaction, actor: Actor, *, import_id: UUID, filename: str) -> None:
    """A new import, `uploading`."""
    row = {
        "workspace_id": actor.workspace_id,
        "id": import_id,
        "filename": filename,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "phase_started_at": func.now(),
    }
    await tx.execute(insert(imports).values(row))


async def append_chunk(tx: Transaction, workspace_id: UUID, import_id: UUID, number: int, data: bytes) -> None:
    """Store the next piece of a file."""
    row = {"workspace_id": workspace_id, "import_id": import_id, "number": number, "data": data}
    await tx.execute(insert(import_chunks).values(row))


async def lock(tx: Transaction, workspace_id: UUID, import_id: UUID) -> Row | None:
    """An import, locked for this transaction."""
    query = select(imports).where(imports.c.workspace_id == workspace_id, imports.c.id == import_id)
    return await tx.first(query.with_for_update(key_share=True))


async def hold(
    tx: Transaction, workspace_id: UUID, import_id: UUID, *, expected: ImportStatus, job_id: UUID
) -> Row | None:
    """The import, locked, if it is in the state expected and this job's: nobody else works on it meanwhile."""
    query = select(imports).where(
        imports.c.workspace_id == workspace_id,
        imports.c.id == import_id,
        imports.c.status == expected,
        imports.c.job_id == job_id,
    )
    return await tx.first(query.with_for_update(key_share=True))


async def move(
    tx: Transaction,
    workspace_id: UUID,
    import_id: UUID,
    *,
    expected: Collection[ImportStatus],
    status: ImportStatus,
    **values: Any,  # noqa: ANN401  columns
) -> bool:
    """Take an import from one of the expected states to another."""
    statement = (
        update(imports)
        .where(
            imports.c.workspace_id == workspace_id, imports.c.id == import_id, imports.c.status.in_(sorted(expected))
        )
        .values(**values, status=status, updated_at=func.now())
    )
    return await tx.changed(statement) == 1


async def set_fields(tx: Transaction, workspace_id: UUID, import_id: UUID, **values: Any) -> None:  # noqa: ANN401  columns
    """Set columns of an import that is locked.

    The time is that of this moment, not of the transaction's begin: a rate counts the work of the transaction.
    """
    await tx.execute(
        update(imports)
        .where(imports.c.workspace_id == workspace_id, imports.c.id == import_id)
        .values(**values, updated_at=func.clock_timestamp())
    )


async def take_up(tx: Transaction, workspace_id: UUID, import_id: UUID, *, status: ImportStatus, job_id: UUID) -> None:
    """Bring an import back that this very job left as failed, now that the job is tried again."""
    await tx.execute(
        update(imports)
        .where(imports.c.workspace_id == workspace_id, imports.c.id == import_id)
        .where(imports.c.status == ImportStatus.FAILED, imports.c.job_id == job_id)
        .values(status=status, error=None, updated_at=func.now())
    )


async def fail(tx: Transaction, workspace_id: UUID, import_id: UUID, *, job_id: UUID, error: str) -> None:
    """The job that worked on it is over, without success."""
    await tx.execute(
        update(imports)
        .where(imports.c.workspace_id == workspace_id, imports.c.id == import_id, imports.c.job_id == job_id)
        .where(imports.c.status.in_([ImportStatus.STAGING, ImportStatus.COMMITTING]))
        .values(status=ImportStatus.FAILED, error=error, updated_at=func.now(), finished_at=func.now())
    )


async def clear_rows(tx: Transaction, workspace_id: UUID, import_id: UUID) -> int:
    """Remove some of the rows of an earlier preview. Returns how many; 0 when none is left."""
    some = (
        select(import_rows.c.row_no)
        .where(import_rows.c.workspace_id == workspace_id, import_rows.c.import_id == import_id)
        .limit(_CLEARED)
    )
    statement = import_rows.delete().where(
        import_rows.c.workspace_id == workspace_id,
        import_rows.c.import_id == import_id,
        import_rows.c.row_no.in_(some),
    )
    return await tx.changed(statement)


async def remove(tx: Transaction, workspace_id: UUID, import_id: UUID) -> None:
    """Remove an import with its file and rows. What it wrote stays."""
    for table in (import_rows, import_chunks):
        await tx.execute(table.delete().where(table.c.workspace_id == workspace_id, table.c.import_id == import_id))
    await tx.execute(imports.delete().where(imports.c.workspace_id == workspace_id, imports.c.id == import_id))


async def remember_mapping(
    tx: Transaction, workspace_id: UUID, fingerprint: str, targets: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Keep a mapping for the next file with the same columns."""
    row = {
        "workspace_id": workspace_id,
        "fingerprint": fingerprint,
        "targets": list(targets),
        "options": dict(options),
        "updated_at": func.now(),
    }
    statement = upsert(import_mappings).values(row)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "fingerprint"],
            set_={name: statement.excluded[name] for name in ("targets", "options", "updated_at")},
        )
    )
