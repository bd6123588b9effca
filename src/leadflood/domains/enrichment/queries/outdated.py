"""Leads whose found values are not those that their choices say: for `doctor`, and for the end of each chaos test."""

from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.events import REFRESH_COMPANY_LEADS, REFRESH_LEADS
from leadflood.domains.enrichment.queries.effective import found_values
from leadflood.domains.leads.catalog import FINDABLE_FIELDS
from leadflood.domains.leads.contracts.found_values import FoundValues
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import assemble, sql
from leadflood.kernel.db.transaction import Transaction

_LISTED: Final = 100
_NEWEST: Final = 500
"""Leads of a workspace that are compared."""
_COMPARED: Final = 5000
"""Leads of all workspaces that are compared."""

# Found values of the newest leads of each workspace, except those that a job is going to refresh.
_STORED = assemble(
    sql("""
SELECT l.* FROM workspaces w CROSS JOIN LATERAL (
    SELECT workspace_id, id, {columns} FROM leads WHERE workspace_id = w.id ORDER BY id DESC LIMIT :each
) l
LEFT JOIN company_leads m ON m.workspace_id = l.workspace_id AND m.lead_id = l.id
WHERE (:workspace_id::uuid IS NULL OR w.id = :workspace_id) AND NOT EXISTS (
    SELECT FROM job_executions j
    WHERE j.workspace_id = l.workspace_id AND j.status IN ('queued', 'running')
      AND (j.kind = :company_kind AND j.subject_id = m.company_id OR j.kind = :workspace_kind))
LIMIT :most
"""),
    columns=FINDABLE_FIELDS.sql(sql("found_{field}")),
)


async def violations(tx: Transaction, *, workspace_id: UUID | None = None) -> list[str]:
    """One sentence for each of the newest leads whose found values are outdated, up to 100.

    Leads that a queued job is going to refresh are left out. Requires `Database.system`.
    """
    kinds = {"company_kind": REFRESH_COMPANY_LEADS.name, "workspace_kind": REFRESH_LEADS.name}
    stored: dict[UUID, dict[UUID, dict[str, str]]] = {}
    for row in await tx.all(_STORED, {**kinds, "workspace_id": workspace_id, "each": _NEWEST, "most": _COMPARED}):
        values = {field.name: row[f"found_{field.name}"] for field in FINDABLE_FIELDS}
        found = {name: value for name, value in values.items() if value is not None}
        stored.setdefault(row.workspace_id, {})[row.id] = found
    outdated: list[str] = []
    for each, by_lead in stored.items():
        meant = await found_values(tx, Actor.system(each), lead_ids=list(by_lead))
        outdated += [_sentence(lead_id, found, meant[lead_id]) for lead_id, found in by_lead.items()]
    return [sentence for sentence in outdated if sentence][:_LISTED]


def _sentence(lead_id: UUID, found: FoundValues, meant: FoundValues) -> str:
    names = sorted(name for name in {*found, *meant} if found.get(name) != meant.get(name))
    return f"lead {lead_id} has other found values than its choices say: {', '.join(names)}" if names else ""
