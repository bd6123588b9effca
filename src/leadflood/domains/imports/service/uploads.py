"""Uploads: files stored in parts, and read back as files."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID

from leadflood.domains.imports import queries, store
from leadflood.domains.imports.adapters.csv_format.encoding import Utf8Check
from leadflood.domains.imports.contracts import ImportDetail, ReadFormat
from leadflood.domains.imports.errors import FileTooLarge, ImportNotFound, ImportQuotaExceeded, UnreadableFile
from leadflood.domains.imports.events import ImportAuditAction
from leadflood.domains.imports.models.format import SAMPLE_BYTES, KnownFile
from leadflood.domains.imports.models.states import ImportStatus
from leadflood.domains.imports.service.mapping import changeable, save_analysis, wanted_format
from leadflood.domains.imports.service.recording import record
from leadflood.domains.imports.service.sandboxed_parser import detect_format
from leadflood.domains.imports.store import quota as store_quota
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.ids import new_id
from leadflood.kernel.sandbox.pool import Sandbox

CHUNK = 1024 * 1024
_AHEAD = 64 * CHUNK
"""Bytes that an upload of unknown size reserves in advance."""
_NAMED = 3


@dataclass(slots=True)
class _Quota:
    """An upload, and its reserved share of the workspace's quota."""

    actor: Actor
    import_id: UUID
    quota: int
    reserved: int


@dataclass(slots=True)
class _Received:
    """State of an upload; only the first piece of the file is kept in memory."""

    head: bytearray = field(default_factory=bytearray)
    size: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    encoding: Utf8Check = field(default_factory=Utf8Check)

    def add(self, data: bytes) -> None:
        """Process the next bytes."""
        self.size += len(data)
        self.digest.update(data)
        if len(self.head) < SAMPLE_BYTES:
            self.head += data[: SAMPLE_BYTES - len(self.head)]
        self.encoding.add(data)

    def known(self) -> KnownFile:
        """Properties of the complete file."""
        self.encoding.add(b"", final=True)
        return KnownFile(self.size, utf8=self.encoding.utf8, invalid_bytes=self.encoding.invalid)


async def upload(
    database: Database,
    sandbox: Sandbox,
    actor: Actor,
    *,
    filename: str,
    stream: AsyncIterable[bytes],
    declared: int | None,
    limit: int,
    quota: int,
) -> UUID:
    """Store a file and analyze it. Returns the ID of the import, now `uploaded`.

    If the upload ends early for any reason, the stored part is deleted.

    Args: declared: about how many bytes the sender says will come; for a small form this may be less than none. limit:
        bytes that a file may have. quota: bytes that all uncommitted files of the workspace may have.

    Raises: FileTooLarge, ImportQuotaExceeded: immediately if the declared size is too large. UnreadableFile.
    """
    actor.require(LEADS_WRITE)
    if declared is not None and declared > limit:
        raise FileTooLarge(limit)
    import_id = new_id()
    async with database.transaction(actor.workspace_id) as tx:
        await store.insert_import(tx, actor, import_id=import_id, filename=filename)
        needed = max(declared or 0, 1)
        reservation = _Quota(actor, import_id, quota, await _reserve(tx, actor, import_id, quota, needed, declared))
    stored = False
    try:
        received = await _store(database, reservation, stream, limit)
        await _finish(database, sandbox, actor, import_id, filename, received)
        stored = True
    finally:
        if not stored:
            await asyncio.shield(_discard(database, actor, import_id))
    return import_id


@asynccontextmanager
async def spooled(
    database: Database, actor: Actor, *, import_id: UUID, head: bytes = b"", size: int | None = None
) -> AsyncIterator[IO[bytes]]:
    """The file of an import as a temporary file on local disk, at its start.

    Args: head: its first bytes, where they are known. size: with it, text is not fetched beyond them.

    Raises: UnreadableFile: it is no longer stored.
    """
    with TemporaryFile() as file:
        if head and (size == len(head) or not head.startswith(b"PK\x03\x04")):
            file.write(head)
        else:
            number = 0
            while True:
                async with database.transaction(actor.workspace_id, read_only=True) as tx:
                    data = await queries.read_chunk(tx, actor.workspace_id, import_id, number)
                if data is None:
                    break
                file.write(data)
                number += 1
            if not number:
                raise UnreadableFile("The file is no longer stored. Upload it again.")
        file.seek(0)
        yield file


async def _reserve(
    tx: Transaction, actor: Actor, import_id: UUID, quota: int, needed: int, declared: int | None
) -> int:
    """Reserve quota for an upload, with some in advance if its size is unknown. Returns the reserved bytes."""
    files = await store_quota.stored_files(tx, actor.workspace_id, but=import_id)
    free = quota - sum(file.size for file in files)
    if needed > free:
        raise ImportQuotaExceeded(quota, [(file.id, file.filename, file.size) for file in files[:_NAMED]])
    reserved = needed if declared is not None else min(needed + _AHEAD, free)
    await store_quota.reserve(tx, actor.workspace_id, import_id, reserved)
    return reserved


async def _store(database: Database, reservation: _Quota, stream: AsyncIterable[bytes], limit: int) -> _Received:
    received, waiting, number = _Received(), bytearray(), 0
    actor, import_id = reservation.actor, reservation.import_id

    async def put(data: bytes) -> None:
        nonlocal number
        received.add(data)
        async with database.transaction(actor.workspace_id) as tx:
            if received.size > reservation.reserved:
                reservation.reserved = await _reserve(tx, actor, import_id, reservation.quota, received.size, None)
            await store.append_chunk(tx, actor.workspace_id, import_id, number, data)
            await store.set_size(tx, actor.workspace_id, import_id, received.size)
        number += 1

    async for piece in stream:
        waiting += piece
        if received.size + len(waiting) > limit:
            raise FileTooLarge(limit)
        while len(waiting) >= CHUNK:
            data = bytes(waiting[:CHUNK])
            del waiting[:CHUNK]
            await put(data)
    if waiting:
        await put(bytes(waiting))
    return received


async def _finish(
    database: Database, sandbox: Sandbox, actor: Actor, import_id: UUID, filename: str, received: _Received
) -> None:
    if not received.size:
        raise UnreadableFile("This file is empty. Add a header row and one row per lead.")
    known = received.known()
    async with (
        sandbox.process(actor.workspace_id) as process,
        spooled(database, actor, import_id=import_id, head=bytes(received.head), size=received.size) as file,
    ):
        analysis = await detect_format(process, file, known)
    async with database.transaction(actor.workspace_id) as tx:
        sha256 = received.digest.digest()
        if not await store.end_upload(tx, actor.workspace_id, import_id, known=known, sha256=sha256):
            raise ImportNotFound
        await save_analysis(tx, actor, import_id=import_id, analysis=analysis)
        await record(tx, actor, ImportAuditAction.UPLOADED, import_id, filename, {"bytes": received.size})


async def _discard(database: Database, actor: Actor, import_id: UUID) -> None:
    async with database.transaction(actor.workspace_id) as tx:
        await store.remove(tx, actor.workspace_id, import_id)


async def read_as(
    database: Database, sandbox: Sandbox, actor: Actor, *, import_id: UUID, command: ReadFormat
) -> ImportDetail:
    """Read the file in another format, and detect its columns again.

    Raises: ImportNotFound, ImportNotReady, InvalidInput, UnreadableFile.
    """
    actor.require(LEADS_WRITE)
    async with database.transaction(actor.workspace_id) as tx:
        wanted, found = await wanted_format(tx, actor, import_id=import_id, command=command)
        head = await queries.read_chunk(tx, actor.workspace_id, import_id, 0) or b""
    async with (
        sandbox.process(actor.workspace_id) as process,
        spooled(database, actor, import_id=import_id, head=head, size=found.size_bytes) as file,
    ):
        known = KnownFile(
            found.size_bytes,
            utf8=found.utf8,
            invalid_bytes=found.invalid_bytes,
            wanted=wanted,
            header_wanted=command.sets_header,
        )
        analysis = await detect_format(process, file, known)
    async with database.transaction(actor.workspace_id) as tx:
        found, _ = await changeable(tx, actor, import_id=import_id)
        await save_analysis(tx, actor, import_id=import_id, analysis=analysis)
        await store.change_status(tx, found, ImportStatus.UPLOADED)
        await record(tx, actor, ImportAuditAction.FORMAT_CHANGED, import_id, found.filename)
        return await queries.get_import(tx, actor, import_id=import_id)
