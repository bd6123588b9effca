"""Invariants of leads, companies and the jobs that enrich them: for `doctor`, and for the end of each chaos test."""

from leadflood.domains.enrichment.events import ENRICH_LEAD
from leadflood.kernel.db.sql import sql_file
from leadflood.kernel.db.transaction import Transaction

_LISTED = 100

_VIOLATIONS = sql_file("leadflood.domains.enrichment.sql", "unfinished_leads")
_OF_COMPANIES = sql_file("leadflood.domains.enrichment.sql", "company_violations")


async def violations(tx: Transaction) -> list[str]:
    """One sentence for each lead that is neither `enriched` nor `failed` and has no unfinished job, up to 100.

    And for runs of companies that nothing ends, jobs that wait for nothing, and choices of companies that are gone.

    A lead that an import made stays `new` until its enrichment is asked for, which the import may never do.
    A lead may have several live jobs: each request for enrichment adds one. Deleted leads are left out.
    Needs a transaction across workspaces (`Database.system`).
    """
    of_leads = await tx.all(_VIOLATIONS, {"kind": ENRICH_LEAD.name, "listed": _LISTED})
    return [row.violation for row in (*of_leads, *await tx.all(_OF_COMPANIES, {"listed": _LISTED}))]
