"""Pairs of leads that are certainly one person, found by a scan."""

from uuid import UUID

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.duplicates import jobs as duplicate_jobs
from leadflood.domains.duplicates.service import scanning
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.domains.leads import service as leads
from leadflood.domains.leads.contracts import CreateLead
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.database import Database
from tests.support.jobs import Jobs

_PEOPLE = (
    ("Grace", "Hopper", "+493012345670"),
    ("Katherine", "Johnson", "+12015556773"),
    ("Ada", "Lovelace", "+447911123456"),
)
_QUEUED = "SELECT id FROM job_executions WHERE workspace_id = :id AND kind LIKE 'duplicates.%' AND status = 'queued'"
_CERTAIN = "UPDATE duplicate_candidates SET score = 100 WHERE workspace_id = :id"


async def new_certain_pairs(database: Database, actor: Actor, count: int) -> None:
    """Leads of up to three people with two addresses each, and the pairs of score 100 that they make."""
    for first, last, phone in _PEOPLE[:count]:
        person = {"firstName": first, "lastName": last, "phone": phone}
        for tag in ("", "+news"):
            email = f"{first}{tag}@{last}.com".lower()
            command = CreateLead.model_validate({"email": email, **person})
            async with database.transaction(actor.workspace_id) as tx:
                await leads.create_lead(tx, actor, command=command, trace={})
    async with database.transaction(actor.workspace_id) as tx:
        await scanning.request_scan(tx, actor, trace={})
    await run_duplicate_jobs(database, actor.workspace_id)
    await Jobs(database, actor.workspace_id).change(_CERTAIN, id=actor.workspace_id)


async def run_duplicate_jobs(database: Database, workspace_id: UUID) -> None:
    """Let a worker run the scans and merges that are queued."""
    registry = JobRegistry(duplicate_jobs.definitions(database, LEAD_PARTICIPANTS))
    jobs = Jobs(database, workspace_id)
    for row in await jobs.rows(_QUEUED, id=workspace_id):
        await jobs.attempt(registry, row.id)
