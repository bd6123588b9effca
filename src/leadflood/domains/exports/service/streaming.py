"""Direct exports: leads in the response of a request or to the command line."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace

from leadflood.domains.exports.errors import ExportTooLarge
from leadflood.domains.exports.events import ExportAuditAction
from leadflood.domains.exports.models import ExportLayout, Selection, file_name, readable
from leadflood.domains.exports.permissions import LEADS_EXPORT
from leadflood.domains.exports.service.batches import ExportScan, batches, open_encoder, scan_for_export
from leadflood.domains.identity.service import audit
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.database import Database
from leadflood.kernel.threads import EXPORT_ENCODING


@dataclass(slots=True)
class ExportStream:
    """An export that is sent while it is read.

    Attributes: done: leads that are read so far.
    """

    database: Database
    actor: Actor
    selection: Selection
    layout: ExportLayout
    surveyed: ExportScan
    done: int = 0

    @property
    def total(self) -> int:
        """Number of leads at the start."""
        return self.surveyed.total

    @property
    def filename(self) -> str:
        """Suggested name of the file."""
        return file_name(utc_now().date(), self.layout.format)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file. At most one batch of it is in memory. Raises: Unavailable."""
        columns = self.surveyed.columns
        with closing(await open_encoder(self.database, self.actor, layout=self.layout, columns=columns)) as writer:
            if head := writer.begin():
                yield head
            async for records in batches(self.database, self.actor, selection=self.selection, columns=columns):
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
    selection: Selection,
    layout: ExportLayout,
    max_count: int | None,
) -> ExportStream:
    """Start sending leads, and record the user and the filter.

    Args: max_count: leads that may be sent; None: any number.

    Raises: ExportTooLarge, TooManyColumns, leadflood.kernel.actor.MissingPermission.
    """
    actor.require(LEADS_EXPORT)
    layout = replace(layout, columns=readable(layout.columns, actor))
    selection = selection.fixed(actor)
    surveyed = await scan_for_export(database, actor, selection=selection, layout=layout, max_count=max_count)
    if max_count is not None and surveyed.total > max_count:
        raise ExportTooLarge(max_count)
    async with database.transaction(actor.workspace_id) as tx:
        await audit.record(
            tx,
            actor,
            action=ExportAuditAction.STREAMED,
            subject_type="leads",
            data={"count": surveyed.total, **layout.written, **selection.written},
        )
    return ExportStream(database, actor, selection, layout, surveyed)
