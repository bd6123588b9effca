"""Direct exports: leads in the response of a request or to the command line."""

from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from leadflood.domains.exports.errors import ExportTooLarge
from leadflood.domains.exports.events import ExportAuditAction
from leadflood.domains.exports.models import ExportFormat, file_name, wants_enriched
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.exports.service.batches import ExportScan, batches, encoder, scan_for_export
from leadflood.domains.identity.service import audit
from leadflood.domains.leads.contracts.filters import LeadFilter
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.filters import written
from leadflood.kernel.threads import EXPORT_ENCODING


@dataclass(slots=True)
class ExportStream:
    """An export that is sent while it is read.

    Attributes: done: leads that are read so far.
    """

    database: Database
    actor: Actor
    filters: LeadFilter
    kind: ExportFormat
    bom: bool
    surveyed: ExportScan
    done: int = 0

    @property
    def total(self) -> int:
        """Number of leads at the start."""
        return self.surveyed.total

    @property
    def filename(self) -> str:
        """Suggested name of the file."""
        return file_name(utc_now().date(), self.kind)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file. At most one batch of it is in memory. Raises: Unavailable."""
        columns = self.surveyed.columns
        with closing(encoder(self.kind, columns, bom=self.bom)) as writer:
            if head := writer.begin():
                yield head
            walk = batches(self.database, self.actor, filters=self.filters, enriched=wants_enriched(columns))
            async for records in walk:
                data = await EXPORT_ENCODING.run(writer.rows, records)
                self.done += len(records)
                if data:
                    yield data
            rest = iter(writer.end())
            while data := await EXPORT_ENCODING.run(next, rest, b""):
                yield data


async def open_stream(
    database: Database,
    actor: Actor,
    *,
    filters: LeadFilter,
    columns: Sequence[str],
    kind: ExportFormat,
    max_count: int | None,
    bom: bool = False,
) -> ExportStream:
    """Start sending leads, and record the user and the filter. Raises: ExportTooLarge, TooManyColumns.

    Args:
        database: where the leads are.
        actor: who asks, and in which workspace.
        filters: which leads.
        columns: names as in `CreateExport`.
        kind: the format.
        max_count: leads that may be sent; None: any number.
        bom: CSV: start with the mark by which Excel knows UTF-8.
    """
    actor.require(LEADS_EXPORT)
    filters = filters.fixed(actor)
    surveyed = await scan_for_export(database, actor, filters=filters, columns=columns, kind=kind, max_count=max_count)
    if max_count is not None and surveyed.total > max_count:
        raise ExportTooLarge(max_count)
    async with database.transaction(actor.workspace_id) as tx:
        await audit.record(
            tx,
            actor,
            action=ExportAuditAction.STREAMED,
            subject_type="leads",
            data={
                "format": kind,
                "count": surveyed.total,
                "columns": list(columns),
                "filter": written(filters.whole),
            },
        )
    return ExportStream(database, actor, filters, kind, bom, surveyed)
