"""Backtests: begin one, compute its figures in chunks, and store them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from leadflood.domains.enrichment.models.filling import FillPolicies
from leadflood.domains.enrichment.queries.policies import fill_policies
from leadflood.domains.icps import queries
from leadflood.domains.icps.contracts.backtests import BacktestResult, BacktestView, StartBacktest, result_of
from leadflood.domains.icps.errors import BacktestRuns
from leadflood.domains.icps.events import RUN_BACKTEST, BacktestPayload, IcpAuditAction
from leadflood.domains.icps.models.backtest import FactsOf, KnownOutcome, Tally, VersionComparison
from leadflood.domains.icps.models.catalog import ProfileCatalog
from leadflood.domains.icps.models.outcomes import OutcomeKind
from leadflood.domains.icps.permissions import ICPS_WRITE
from leadflood.domains.icps.queries import backtests as backtest_queries
from leadflood.domains.icps.queries.as_of import CompanyChoices, FactsWanted, facts_before
from leadflood.domains.icps.queries.scores import read_facts
from leadflood.domains.icps.service import lock_icp, record
from leadflood.domains.icps.store import backtests as store
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import NO_TRACE
from leadflood.kernel.ids import new_id
from leadflood.kernel.threads import BoundedThreads

CHUNK: Final = 1_000
"""Leads that are read in one transaction."""
KEPT: Final = 20
"""Backtests of a profile that are kept."""
_COMPUTING: Final = BoundedThreads("backtests", threads=1, queue=64)

Transactions: TypeAlias = Callable[[], AbstractAsyncContextManager[Transaction]]


async def start(
    tx: Transaction,
    actor: Actor,
    *,
    icp_id: UUID,
    command: StartBacktest,
    trace: Mapping[str, str] = NO_TRACE,
    by_job: bool = True,
) -> BacktestView:
    """Begin to test a version against the live one. A job does it; without `by_job`, the caller (`run`).

    Raises: IcpNotFound, IcpVersionNotFound, BacktestRuns.
    """
    actor.require(ICPS_WRITE)
    await lock_icp(tx, actor, icp_id)
    if by_job and await backtest_queries.has_running(tx, actor, icp_id=icp_id):
        raise BacktestRuns
    row = await queries.numbered_row(tx, actor, icp_id=icp_id, number=command.number)
    live = await queries.live_row(tx, actor, icp_id=icp_id)
    backtest_id, job_id = new_id(), new_id() if by_job else None
    await store.insert(
        tx,
        actor,
        backtest_id=backtest_id,
        version=row,
        live_version_id=live.id if live is not None and live.id != row.id else None,
        facts=FactsOf(command.facts),
        job_id=job_id,
    )
    await store.trim(tx, actor.workspace_id, icp_id, kept=KEPT)
    if job_id is not None:
        payload = BacktestPayload(backtest_id=backtest_id)
        await jobs.enqueue(tx, actor, jobs=[NewJob(RUN_BACKTEST, payload, icp_id, trace, job_id)])
    await record(tx, actor, IcpAuditAction.BACKTESTED, icp_id, number=row.number)
    return await backtest_queries.get_backtest(tx, actor, backtest_id=backtest_id)


async def measure(transactions: Transactions, actor: Actor, *, backtest_id: UUID) -> BacktestResult | None:
    """Compute the figures of a backtest. None: it is not there any more, or its profile was deleted.

    Each chunk of leads is read in a transaction of its own, and rated in another thread while the next are read.
    """
    async with transactions() as tx:
        row = await backtest_queries.backtest_row(tx, actor.workspace_id, backtest_id=backtest_id)
        plan = await _plan(tx, actor, row) if row is not None else None
        if row is None or plan is None:
            return None
    after_id: UUID | None = None
    skipped, adding = 0, asyncio.create_task(_COMPUTING.run(_add_all, plan.comparison, ()))
    while True:
        async with transactions() as tx:
            outcomes = await backtest_queries.next_outcomes(
                tx, actor.workspace_id, after_id=after_id, since=row.since, limit=CHUNK
            )
            known = await _known(tx, actor, plan, outcomes) if outcomes else []
        found = [each for each in known if each is not None]
        skipped += len(known) - len(found)
        await adding
        adding = asyncio.create_task(_COMPUTING.run(_add_all, plan.comparison, found))
        if len(outcomes) < CHUNK:
            break
        after_id = outcomes[-1].lead_id
    await adding
    numbers = (row.number, row.live_number)
    return await _COMPUTING.run(
        result_of, plan.comparison, numbers=numbers, skipped=skipped, facts_of=FactsOf(row.facts)
    )


async def run(transactions: Transactions, actor: Actor, *, icp_id: UUID, command: StartBacktest) -> BacktestView:
    """Test a version without a job. Raises: like `start`."""
    async with transactions() as tx:
        made = await start(tx, actor, icp_id=icp_id, command=command, by_job=False)
    result = None
    try:
        result = await measure(transactions, actor, backtest_id=made.id)
    finally:
        await asyncio.shield(_finished(transactions, actor, made.id, result))
    async with transactions() as tx:
        return await backtest_queries.get_backtest(tx, actor, backtest_id=made.id)


async def _finished(transactions: Transactions, actor: Actor, backtest_id: UUID, result: BacktestResult | None) -> None:
    async with transactions() as tx:
        await finish(tx, actor, backtest_id=backtest_id, result=result)


async def finish(tx: Transaction, actor: Actor, *, backtest_id: UUID, result: BacktestResult | None) -> None:
    """Store the figures of a backtest. Nothing happens if it is not running."""
    written = result.model_dump_json(by_alias=True) if result is not None else None
    state = "done" if result is not None else "failed"
    await store.end(tx, actor.workspace_id, backtest_id, state=state, result=written)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Versions to compare, and the facts that they read."""

    comparison: VersionComparison
    facts_of: FactsOf
    catalog: ProfileCatalog
    keys: Sequence[str]
    policies: FillPolicies
    now: datetime
    companies: CompanyChoices = field(default_factory=dict)


async def _plan(tx: Transaction, actor: Actor, row: Row) -> _Plan | None:
    """None: the tested version was deleted."""
    found = []
    for version_id in (row.version_id, row.live_version_id):
        version = await queries.version_row(tx, actor.workspace_id, version_id=version_id) if version_id else None
        found.append(queries.stored_profile(version.id, version.body, version.shapes) if version is not None else None)
    tested, live = found
    if tested is None:
        return None
    versions = [each for each in (live, tested) if each is not None]
    return _Plan(
        VersionComparison(Tally.of(*tested), Tally.of(*live) if live is not None else None),
        FactsOf(row.facts),
        ProfileCatalog(each for _, catalog in versions for each in catalog),
        list(dict.fromkeys(key for profile, _ in versions for key in profile.fields)),
        await fill_policies(tx, actor),
        utc_now(),
    )


async def _known(tx: Transaction, actor: Actor, plan: _Plan, outcomes: Sequence[Row]) -> list[KnownOutcome | None]:
    """The outcomes with facts; None for leads that did not exist. Deleted leads are left out."""
    active = await backtest_queries.active_ids(tx, actor.workspace_id, [row.lead_id for row in outcomes])
    rows = [row for row in outcomes if row.lead_id in active]
    if plan.facts_of is FactsOf.TODAY:
        fields = [plan.catalog[key] for key in plan.keys if key in plan.catalog]
        today = await read_facts(tx, actor, lead_ids=[row.lead_id for row in rows], fields=fields)
        facts = [today.get(row.lead_id) for row in rows]
    else:
        wanted = [FactsWanted(row.lead_id, row.at) for row in rows]
        facts = await facts_before(
            tx,
            actor.workspace_id,
            wanted=wanted,
            catalog=plan.catalog,
            keys=plan.keys,
            policies=plan.policies,
            companies=plan.companies,
        )
    now = plan.now if plan.facts_of is FactsOf.TODAY else None
    return [
        KnownOutcome(row.lead_id, OutcomeKind(row.outcome).is_positive, each, now or row.at)
        if each is not None
        else None
        for row, each in zip(rows, facts, strict=True)
    ]


def _add_all(comparison: VersionComparison, known: Sequence[KnownOutcome]) -> None:
    for each in known:
        comparison.add(each)
