"""`leadflood lead accept --filter`: the found values of many leads."""

import typer

from leadflood.cli.context import open_context
from leadflood.cli.listing import filter_json
from leadflood.cli.output import note, print_facts, print_json


async def accept_many(tree: str, expected: int | None, workspace: str | None, *, as_json: bool) -> None:
    """Accept all found values of the leads of a filter, as one bulk change. Asks if no number is expected."""
    from leadflood.cli.validation import checked
    from leadflood.domains.leads.contracts.bulk import BulkChange
    from leadflood.domains.leads.contracts.filters import LeadQuery
    from leadflood.domains.leads.queries.search import count_leads
    from leadflood.domains.leads.service import bulk

    matching = filter_json(tree)
    async with open_context(workspace) as context:
        days = context.platform.settings.lead_retention_days
        if expected is None:
            filters = checked(LeadQuery, matching).lead_filter()
            async with context.transaction(read_only=True) as tx:
                expected = (await count_leads(tx, context.actor, filters=filters, max_count=_MAX_COUNT)).value
            typer.confirm(f"Accept the found values of {expected:,} leads?", abort=True, err=True)
        given = {"action": "acceptFoundValues", "matching": matching, "expectedCount": expected}
        async with context.transaction() as tx:
            command = checked(BulkChange, given)
            made = (await bulk.change_leads(tx, context.actor, command=command, trace={})).dated(days)
    if as_json:
        print_json(made)
        return
    print_facts([("change", made.id), ("leads", made.total), ("updated", made.updated), ("job", made.job_id)])
    note(f"Undo with: leadflood change undo {made.id}")


_MAX_COUNT = 10_000_000
