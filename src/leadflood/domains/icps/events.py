"""Events of profiles: domain events, audit actions and jobs."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from leadflood.domains.jobs.models import JobKind, NoPayload, Payload
from leadflood.kernel.events import EventData, EventType
from leadflood.kernel.queue.ports import Priority

ICP: Final = "icp"
OUTCOME: Final = "outcome"


class IcpData(EventData):
    """The number of the version, where it is about one."""

    number: int | None = None


ICP_PUBLISHED = EventType("icp.published.v1", ICP, IcpData, "A version of a profile is live: its scores are shown.")
ICP_DELETED = EventType("icp.deleted.v1", ICP, IcpData, "A profile was deleted, with its scores.")


class DriftData(EventData):
    """The number of the live version, and the population stability index."""

    number: int
    stability: float


ICP_DRIFTED = EventType(
    "icp.drifted.v1", ICP, DriftData, "Scores by the live version have moved since it was published. Once per crossing."
)
EVENTS = (ICP_PUBLISHED, ICP_DELETED, ICP_DRIFTED)


class IcpAuditAction(StrEnum):
    """Audit actions of profiles. The names are stable: people filter and alert by them."""

    CREATED = "icp.created"
    CHANGED = "icp.changed"
    DRAFTED = "icp.drafted"
    DELETED = "icp.deleted"
    PUBLICATION_STARTED = "icp.publication_started"
    PUBLISHED = "icp.published"
    BACKTESTED = "icp.backtested"


class OutcomeAuditAction(StrEnum):
    """Audit actions of outcomes. The names are stable, as above."""

    RECORDED = "outcome.recorded"
    DELETED = "outcome.deleted"
    IMPORTED = "outcome.imported"


class VersionPayload(Payload):
    """The version to score."""

    version_id: UUID


class BacktestPayload(Payload):
    """The backtest to compute."""

    backtest_id: UUID


PUBLISH_VERSION = JobKind("icps.publish.v1", VersionPayload, max_attempts=20)
"""Scores all leads by a version, then makes it the live one."""

RESCORE_VERSION = JobKind("icps.recompute.v1", VersionPayload, max_attempts=5, priority=Priority.BULK)
"""Scores all leads by a live version again: what depends on the date, and what was missed."""

RESCORE_PENDING = JobKind("icps.score.v1", NoPayload, max_attempts=3)
"""Scores the leads of all workspaces that changes have marked."""

RESCORE_DAILY = JobKind("icps.recompute_all.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Queues `RESCORE_VERSION` for all live versions, and deletes the scores of former ones."""

CHECK_DRIFT = JobKind("icps.check_drift.v1", NoPayload, max_attempts=3, priority=Priority.BULK)
"""Compares the scores of all live versions with those at publishing, and begins their monthly backtests."""

RUN_BACKTEST = JobKind("icps.backtest.v1", BacktestPayload, max_attempts=3, priority=Priority.BULK)
"""Tests a version on the leads with an outcome."""
