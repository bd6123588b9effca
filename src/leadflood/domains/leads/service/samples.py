"""Sample leads for a first look: created and enriched like any other lead, and removed together."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from leadflood.domains.leads.contracts import CreateLead
from leadflood.domains.leads.contracts.bulk import BulkAction, BulkChange
from leadflood.domains.leads.contracts.changesets import ChangesetView
from leadflood.domains.leads.errors import DuplicateLead
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.leads.queries.samples import SAMPLE_LEADS, SAMPLE_SOURCE
from leadflood.domains.leads.queries.search import count_leads
from leadflood.domains.leads.service import bulk, create_lead
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

MAX_REMOVED: Final = 100_000

SAMPLES: Final[Sequence[Mapping[str, Any]]] = json.loads(
    files("leadflood.domains.leads").joinpath("data/sample_leads.json").read_text("utf-8")
)
"""A full address, a typo, a role, free mail, an international domain, and names in other scripts."""


async def load_samples(
    tx: Transaction, actor: Actor, *, trace: Mapping[str, str], numbers: Sequence[int] = range(len(SAMPLES))
) -> tuple[list[UUID], int]:
    """Create the sample leads that don't exist yet. Returns the IDs of all of them, and how many are new.

    Args: numbers: which; beyond the first 8 they are variations of those.
    """
    actor.require(LEADS_WRITE)
    ids: list[UUID] = []
    new = 0
    for number in numbers:
        command = CreateLead.model_validate(_sample(number))
        try:
            made = await create_lead(tx, actor, command=command, trace=trace, source=SAMPLE_SOURCE)
        except DuplicateLead as duplicate:
            ids.append(UUID(str(duplicate.extra["existingId"])))
        else:
            ids.append(made.lead_id)
            new += 1
    return ids, new


async def remove_samples(tx: Transaction, actor: Actor, *, trace: Mapping[str, str]) -> ChangesetView:
    """Delete the sample leads, as a bulk change that can be undone. Raises: MatchCountExceeded."""
    actor.require(LEADS_WRITE)
    count = await count_leads(tx, actor, filters=SAMPLE_LEADS, max_count=MAX_REMOVED)
    wanted = {"action": BulkAction.DELETE, "matching": {"source": [SAMPLE_SOURCE]}, "expectedCount": count.value}
    return await bulk.change_leads(tx, actor, command=BulkChange.model_validate(wanted), trace=trace)


def _sample(number: int) -> Mapping[str, Any]:
    if number < len(SAMPLES):
        return SAMPLES[number]
    pattern = SAMPLES[number % len(SAMPLES)]
    local, _, domain = str(pattern["email"]).partition("@")
    return {**pattern, "email": f"{local}+{number}@{domain}"}
