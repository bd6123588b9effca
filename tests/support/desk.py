"""Imports as a person makes them, with the jobs of one's own run one attempt at a time."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from openpyxl import Workbook

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import ImportDetail, ImportRowView, MapColumns
from leadflood.domains.imports.events import UNRELATE_IMPORT
from leadflood.domains.imports.models.states import RowAction
from leadflood.domains.imports.service import lifecycle, mapping, uploads
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.events import UNDO_CHANGESET
from leadflood.domains.leads.service import create_lead
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.db.sql import sql
from tests.support.jobs import Jobs
from tests.support.sandbox import shared_sandbox

LIMIT = 64 * 1024 * 1024
QUOTA = 10 * 1024**3

# Visible values of leads, without versions and times of change, which an undo increases.
_CHECKSUM = sql("""
SELECT id, email, email_norm, first_name, last_name, company, job_title, phone, website, country, source, custom_fields,
       owner_id, status, search_text
FROM leads WHERE workspace_id = :workspace_id AND deleted_at IS NULL ORDER BY email_norm
""")


def csv_of(rows: Sequence[Sequence[str]], *, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A file with these rows."""
    text_ = io.StringIO(newline="")
    csv.writer(text_, delimiter=delimiter).writerows(rows)
    return text_.getvalue().encode(encoding)


def workbook() -> bytes:
    """A workbook with two sheets, of which the second has leads."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.append(["Notes"])
    first.append(["nothing here"])
    people = book.create_sheet("People")
    people.append(["Email", "Seats"])
    people.append(["ada@acme.com", 12])
    people.append([])
    people.append(["bob@acme.com", 3.0])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def counted(found: ImportDetail) -> dict[str, int]:
    """Number of rows per action, without zeros."""
    return {action.value: count for action, count in found.counts.items() if count}


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    """A body as it comes in."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


@dataclass(frozen=True)
class Desk:
    """A workspace in which somebody imports."""

    database: Database
    registry: JobRegistry
    actor: Actor

    async def upload(self, data: bytes, filename: str = "leads.csv", *, limit: int = LIMIT, quota: int = QUOTA) -> UUID:
        """Upload a file."""
        return await uploads.upload(
            self.database,
            shared_sandbox(),
            self.actor,
            filename=filename,
            stream=pieces(data),
            declared=len(data),
            limit=limit,
            quota=quota,
        )

    async def get(self, import_id: UUID) -> ImportDetail:
        """The import as the API shows it."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await queries.get_import(tx, self.actor, import_id=import_id)

    async def map(self, import_id: UUID, targets: Sequence[str], **options: Any) -> ImportDetail:  # noqa: ANN401  JSON
        """Say what the columns are."""
        command = MapColumns.model_validate({"targets": list(targets), **options})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return await mapping.map_columns(tx, self.actor, import_id=import_id, command=command)

    async def preview(self, import_id: UUID) -> ImportDetail:
        """Ask for the diff and let a worker make it."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            asked = await lifecycle.preview_import(tx, self.actor, import_id=import_id, trace={})
        assert asked.job_id
        await self.attempt(asked.job_id)
        return await self.get(import_id)

    async def commit(self, import_id: UUID) -> ImportDetail:
        """Ask for the commit and let a worker make it."""
        job_id = await self.ask_commit(import_id)
        await self.attempt(job_id)
        return await self.get(import_id)

    async def ask_commit(self, import_id: UUID) -> UUID:
        """Ask for the commit. Returns the job."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            asked = await lifecycle.commit_import(tx, self.actor, import_id=import_id, trace={})
        assert asked.job_id
        return asked.job_id

    async def undo(self, import_id: UUID) -> ImportDetail:
        """Take the import back, with a worker where it is large."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await lifecycle.undo_import(tx, self.actor, LEAD_PARTICIPANTS, import_id=import_id, trace={})
        query = (
            "SELECT id FROM job_executions WHERE kind = :kind AND status = 'queued' AND workspace_id = :workspace_id"
        )
        jobs = Jobs(self.database, self.actor.workspace_id)
        for row in await jobs.rows(query, kind=UNDO_CHANGESET.name, workspace_id=self.actor.workspace_id):
            await self.attempt(row.id)
        return await self.get(import_id)

    async def undo_all(self, import_id: UUID) -> None:
        """Take the import back with its tags and lists."""
        await self.undo(import_id)
        jobs = Jobs(self.database, self.actor.workspace_id)
        queued = "SELECT id FROM job_executions WHERE workspace_id = :id AND kind = :kind AND status = 'queued'"
        for row in await jobs.rows(queued, id=self.actor.workspace_id, kind=UNRELATE_IMPORT.name):
            await self.attempt(row.id)

    async def run(self, data: bytes, targets: Sequence[str] | None = None, **options: Any) -> ImportDetail:  # noqa: ANN401  JSON
        """All of it: upload, map, preview, commit."""
        import_id = await self.upload(data)
        if targets is None:
            targets = [column.target for column in (await self.get(import_id)).columns]
        await self.map(import_id, targets, **options)
        previewed = await self.preview(import_id)
        assert previewed.status == "previewed", previewed.error
        return await self.commit(import_id)

    async def attempt(self, job_id: UUID, attempt: int = 1) -> None:
        """Run one attempt of a job."""
        await Jobs(self.database, self.actor.workspace_id).attempt(self.registry, job_id, attempt)

    async def rows(self, import_id: UUID, action: RowAction | None = None) -> list[ImportRowView]:
        """The rows of an import, up to a thousand."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            page = await queries.list_rows(tx, self.actor, import_id=import_id, action=action, limit=1000)
        return list(page.items)

    async def lead(self, **fields: Any) -> UUID:  # noqa: ANN401  JSON
        """A lead that is there already."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            command = CreateLead.model_validate(fields)
            return (await create_lead(tx, self.actor, command=command, trace={})).lead_id

    async def leads(self) -> list[Mapping[Any, Any]]:
        """All living leads, by address."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return [dict(row) for row in await tx.all(_CHECKSUM, {"workspace_id": self.actor.workspace_id})]

    async def checksum(self) -> str:
        """Checksum of the visible values of all leads."""
        return hashlib.sha256(repr([{**row, "id": None} for row in await self.leads()]).encode()).hexdigest()
