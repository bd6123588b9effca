"""Reactions to profiles that are published or deleted."""

from collections.abc import Sequence
from typing import Any

from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob
from leadflood.domains.rules import queries, store
from leadflood.domains.rules.events import COMPARE_TIERS, ProfilePayload
from leadflood.domains.rules.models import Trigger
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import Event


async def published(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Let a job find who has moved. By the first version, leads are in their tiers without having moved."""
    for event in events:
        workspace_id, icp_id = event.actor.workspace_id, event.subject_id
        rules = [each for each in await queries.enabled_rules(tx, workspace_id) if each.icp_id == icp_id]
        if not rules:
            continue
        if not await queries.was_live(tx, workspace_id, icp_id):
            for rule in rules:
                present = rule.include_present and rule.trigger == Trigger.ENTERS
                await store.begin(tx, workspace_id, rule.id, with_present=present)
        await jobs.enqueue(tx, event.actor, jobs=[NewJob(COMPARE_TIERS, ProfilePayload(icp_id=icp_id), icp_id)])


async def deleted(tx: Transaction, events: Sequence[Event[Any]]) -> None:
    """Disable the rules of deleted profiles."""
    for event in events:
        await store.disable_rules(tx, event.actor.workspace_id, event.subject_id)
