"""The job that resolves calls whose answer was lost."""

from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

import structlog

from leadflood.domains.enrichment.events import RECONCILE_PURCHASES
from leadflood.domains.enrichment.models import Fetcher, Repeat, Source
from leadflood.domains.enrichment.models.answers import SourceFailure
from leadflood.domains.enrichment.models.sources import MeteredSource
from leadflood.domains.enrichment.service import reconciling as service
from leadflood.domains.enrichment.service.workspace_sources import SourceSets
from leadflood.domains.enrichment.store import doubts
from leadflood.domains.jobs.models import NoPayload
from leadflood.domains.jobs.registry import JobContext, JobDefinition
from leadflood.domains.spending import queries as books
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from leadflood.kernel.door.errors import DoorError

_log = structlog.get_logger()


def reconciling(
    database: Database, sources: SourceSets, fetcher: Callable[[UUID], Fetcher]
) -> list[JobDefinition[NoPayload]]:
    """The job. Args: database: for transactions across workspaces. fetcher: of a workspace."""

    async def reconcile(_context: JobContext[NoPayload]) -> None:
        async with database.system(read_only=True) as tx:
            found = await doubts.found(tx)
            priced = await books.priced_sources(tx)
        for workspace_id in sorted({*found, *priced}):
            actor = Actor.system(workspace_id)
            async with database.transaction(workspace_id) as tx:
                await service.settle_old(tx, actor, lookup_ids=found.get(workspace_id, ()))
                every = await sources.of(tx, workspace_id)
            for source in every.sources:
                if source.spec.repeat is Repeat.RECONCILE and source.spec.name in priced.get(workspace_id, ()):
                    await _compare(database, actor, source, every.sources, fetcher(workspace_id))

    return [JobDefinition(RECONCILE_PURCHASES, reconcile)]


async def _compare(database: Database, actor: Actor, source: Source, every: Sequence[Source], fetcher: Fetcher) -> None:
    """Read a provider's counter, while no transaction is open, and compare it with the books."""
    name, family = source.spec.name, source.spec.family
    others = [each.spec.name for each in every if each.spec.family == family and each.spec.name != name]
    async with database.transaction(actor.workspace_id) as tx:
        before = await service.quiet_reading(tx, actor, source=name, others=others)
        if before is None:
            await service.note_unclear(tx, actor, source=name, others=others)
            return
    try:
        counted = await cast("MeteredSource", source).usage(fetcher)
    except (SourceFailure, DoorError) as error:
        _log.info("enrichment.usage_not_read", source=name, error=error.sentence)
        async with database.transaction(actor.workspace_id) as tx:
            await service.note_failure(tx, actor, source=name, sentence=error.sentence)
        return
    async with database.transaction(actor.workspace_id) as tx:
        await service.compare(tx, actor, source=name, others=others, before_call=before, counted=counted)
