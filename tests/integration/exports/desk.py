"""Exports as a person makes them, with the jobs of one's own run one attempt at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadflood.domains.exports import queries
from leadflood.domains.exports.contracts import CreateExport, ExportView
from leadflood.domains.exports.models import DIRECT_LIMIT, ExportFormat, ExportLayout, HeaderStyle, Selection
from leadflood.domains.exports.service import files, streaming
from leadflood.domains.jobs.contracts import JobView
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from tests.support.jobs import Jobs

EVERYTHING = LeadFilter()


@dataclass(frozen=True)
class Desk:
    """A workspace in which somebody exports."""

    database: Database
    registry: JobRegistry
    actor: Actor

    async def lead(self, email: str, **fields: Any) -> UUID:  # noqa: ANN401  JSON
        """A lead that is there already."""
        command = CreateLead.model_validate({"email": email, **fields})
        async with self.database.transaction(self.actor.workspace_id) as tx:
            return (await leads.create_lead(tx, self.actor, command=command, trace={})).lead_id

    async def stream(
        self,
        *columns: str,
        filters: LeadFilter = EVERYTHING,
        kind: ExportFormat = ExportFormat.CSV,
        bom: bool = False,
        max_count: int | None = DIRECT_LIMIT,
        headers: HeaderStyle = HeaderStyle.NAMES,
        lead_ids: Sequence[UUID] | None = None,
    ) -> bytes:
        """The streamed export."""
        opened = await streaming.open_stream(
            self.database,
            self.actor,
            selection=Selection(filters, lead_ids),
            layout=ExportLayout(kind, columns or ["*"], headers, bom),
            max_count=max_count,
        )
        return b"".join([piece async for piece in opened.pieces()])

    async def ask(self, **wanted: Any) -> tuple[UUID, UUID]:  # noqa: ANN401  JSON
        """Ask for a file. Returns its id and that of its job."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            view = await files.request_export(
                tx, self.actor, command=CreateExport.model_validate({"headers": "names"} | wanted), trace={}
            )
        (row,) = await self.jobs.rows("SELECT job_id FROM exports WHERE id = :id", id=view.id)
        return view.id, row.job_id

    @property
    def jobs(self) -> Jobs:
        """The jobs of the workspace."""
        return Jobs(self.database, self.actor.workspace_id)

    async def attempt(self, job_id: UUID, attempt: int = 1) -> JobView:
        """Run one attempt of a job."""
        return await self.jobs.attempt(self.registry, job_id, attempt)

    async def get(self, export_id: UUID) -> ExportView:
        """The export as the API shows it."""
        async with self.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            return await queries.get_export(tx, self.actor, export_id=export_id)

    async def file(self, export_id: UUID) -> bytes:
        """Download a file."""
        opened = await files.open_file(self.database, self.actor, export_id=export_id)
        return b"".join([piece async for piece in opened.pieces])

    async def delete(self, export_id: UUID) -> None:
        """Delete a file."""
        async with self.database.transaction(self.actor.workspace_id) as tx:
            await files.delete_export(tx, self.actor, export_id=export_id)

    async def stored_parts(self, export_id: UUID) -> int:
        """Number of stored pieces of files, visible or not."""
        (row,) = await self.jobs.rows("SELECT count(*) AS n FROM export_parts WHERE export_id = :id", id=export_id)
        return int(row.n)
