"""SQL that reads distributions of scores."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter

from leadflood.domains.icps import queries
from leadflood.domains.icps.contracts.drift import DriftView, drift_view
from leadflood.domains.icps.errors import IcpVersionNotFound
from leadflood.domains.icps.models.drift import WIDTH, Distribution
from leadflood.domains.icps.queries import backtests
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Leads by class of their score by a version. Excluded leads are a class of their own.
_DISTRIBUTION = sql("""
SELECT CASE WHEN s.tier IS NOT NULL THEN floor(s.score / :width::double precision)::integer * :width::integer END AS at,
       count(*) AS leads
FROM icp_scores s JOIN leads l ON l.workspace_id = s.workspace_id AND l.id = s.lead_id AND l.deleted_at IS NULL
WHERE s.workspace_id = :workspace_id AND s.version_id = :version_id
GROUP BY 1
""")

# The stored distributions of a version.
_STORED = sql("""
SELECT before::text AS before, before_at, after::text AS after, stability, drifted, checked_at FROM icp_drifts
WHERE workspace_id = :workspace_id AND version_id = :version_id
""")

# Whether outcomes are recorded that happened since a time.
_NEW_OUTCOMES = sql("""
SELECT EXISTS (SELECT FROM icp_outcomes WHERE workspace_id = :workspace_id AND at > :since::timestamptz)
""")

_PAIRS: Final = TypeAdapter(list[tuple[int | None, int]])


async def distribution(tx: Transaction, workspace_id: UUID, *, version_id: UUID) -> Distribution:
    """Leads by class of their score by a version."""
    values = {"workspace_id": workspace_id, "version_id": version_id, "width": WIDTH}
    return {row.at: row.leads for row in await tx.all(_DISTRIBUTION, values)}


async def stored_drift(tx: Transaction, workspace_id: UUID, *, version_id: UUID) -> Row | None:
    """The stored distributions of a version, as JSON; None if it was published before these were stored."""
    return await tx.first(_STORED, {"workspace_id": workspace_id, "version_id": version_id})


async def has_outcomes_since(tx: Transaction, workspace_id: UUID, since: datetime) -> bool:
    """Whether outcomes are known that happened after a time."""
    return bool(await tx.scalar(_NEW_OUTCOMES, {"workspace_id": workspace_id, "since": since}))


async def get_drift(tx: Transaction, actor: Actor, *, icp_id: UUID) -> DriftView:
    """The last comparison of the live version of a profile. Raises: IcpNotFound, IcpVersionNotFound: it has none."""
    icp = await queries.get_icp(tx, actor, icp_id=icp_id)
    if icp.live is None:
        raise IcpVersionNotFound
    row = await stored_drift(tx, actor.workspace_id, version_id=icp.live.id)
    tested = await backtests.latest_since(tx, actor, version_id=icp.live.id)
    before = read_distribution(row.before) if row is not None else {}
    after = read_distribution(row.after) if row is not None and row.after is not None else None
    return drift_view(icp.live.number, row, before, after, tested)


def read_distribution(text: str) -> Distribution:
    """A stored distribution."""
    return dict(_PAIRS.validate_json(text))


def written_distribution(found: Distribution) -> str:
    """A distribution as JSON."""
    pairs: Iterable[tuple[int | None, int]] = found.items()
    return json.dumps([list(pair) for pair in pairs])
