"""Verbs on policies of found fields: estimate, set, reset. A job applies them to the leads of the workspace."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from leadflood.domains.enrichment.contracts.policies import FillPolicyEstimate, FillPolicyView, SetFillPolicy
from leadflood.domains.enrichment.errors import FactFieldNotFound
from leadflood.domains.enrichment.events import FILL_POLICY, REFRESH_LEADS, EnrichmentAuditAction
from leadflood.domains.enrichment.models.fact_fields import FactField
from leadflood.domains.enrichment.models.filling import FILLING, FillPolicies, FillPolicy, FillState
from leadflood.domains.enrichment.permissions import ENRICHMENT_WRITE
from leadflood.domains.enrichment.queries.effective import effective_values_of
from leadflood.domains.enrichment.queries.policies import fill_policies, policy_view
from leadflood.domains.enrichment.store import policies as store
from leadflood.domains.identity.service import audit
from leadflood.domains.jobs import service as jobs
from leadflood.domains.jobs.models import NewJob, NoPayload
from leadflood.domains.leads.contracts import LeadView
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadSort
from leadflood.domains.leads.queries import list_leads
from leadflood.domains.leads.queries.search import count_leads
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction

_SAMPLE: Final = 1000
_MAX: Final = 10_000_000


async def estimate(
    tx: Transaction, actor: Actor, *, subject: str, field: str, command: SetFillPolicy
) -> FillPolicyEstimate:
    """Estimate how many leads a policy would change, by the newest 1,000. Raises: FactFieldNotFound."""
    actor.require(ENRICHMENT_WRITE)
    found = _field(subject, field)
    present = await fill_policies(tx, actor)
    future = FillPolicies({**present.own, found: FillPolicy(command.fill_at, command.suggest)})
    leads = (await list_leads(tx, actor, filters=LeadFilter(), sort=LeadSort.NEWEST, limit=_SAMPLE)).items
    total = len(leads)
    if total == _SAMPLE:
        total = (await count_leads(tx, actor, filters=LeadFilter(), max_count=_MAX)).value
    before = await _states(tx, actor, leads, found, present)
    after = await _states(tx, actor, leads, found, future)
    factor = total / max(1, len(leads))
    return FillPolicyEstimate(
        leads=total,
        changed=round(factor * sum(before.get(lead.id) != after.get(lead.id) for lead in leads)),
        filled=round(factor * sum(state is FillState.FILLED for state, _ in after.values())),
        suggested=round(factor * sum(state is FillState.SUGGESTED for state, _ in after.values())),
        exact=total == len(leads),
    )


async def set_policy(
    tx: Transaction, actor: Actor, *, subject: str, field: str, command: SetFillPolicy, trace: Mapping[str, str]
) -> FillPolicyView:
    """Set the policy of a found field. Lists and search follow by a job. Raises: FactFieldNotFound."""
    actor.require(ENRICHMENT_WRITE)
    found = _field(subject, field)
    await store.set_policy(tx, actor, found, FillPolicy(command.fill_at, command.suggest))
    return await _changed(tx, actor, found, EnrichmentAuditAction.POLICY_SET, trace)


async def reset_policy(
    tx: Transaction, actor: Actor, *, subject: str, field: str, trace: Mapping[str, str]
) -> FillPolicyView:
    """Give a found field the standard policy. Raises: FactFieldNotFound."""
    actor.require(ENRICHMENT_WRITE)
    found = _field(subject, field)
    await store.reset_policy(tx, actor, found)
    return await _changed(tx, actor, found, EnrichmentAuditAction.POLICY_RESET, trace)


async def _changed(
    tx: Transaction, actor: Actor, field: FactField, action: EnrichmentAuditAction, trace: Mapping[str, str]
) -> FillPolicyView:
    job = NewJob(REFRESH_LEADS, NoPayload(), actor.workspace_id, trace)
    (job_id,) = await jobs.enqueue(tx, actor, jobs=[job])
    view = policy_view(field, await fill_policies(tx, actor))
    data: dict[str, JsonValue] = {
        "count": 1,
        "field": f"{field.subject}.{field.name}",
        "fillAt": view.fill_at,
        "suggest": view.suggest,
    }
    await audit.record(tx, actor, action=action, subject_type=FILL_POLICY, data=data)
    return view.model_copy(update={"job_id": job_id})


async def _states(
    tx: Transaction, actor: Actor, leads: Sequence[LeadView], field: FactField, policies: FillPolicies
) -> dict[UUID, tuple[FillState, str]]:
    """State and found value of the field that a found one fills, of leads that have one."""
    found = await effective_values_of(tx, actor, leads=leads, policies=policies)
    states: dict[UUID, tuple[FillState, str]] = {}
    for lead_id, values in found.items():
        for item in values.values():
            if item.field == field.fills:
                states[lead_id] = (item.view.state, item.view.value)
    return states


def _field(subject: str, name: str) -> FactField:
    """Raises: FactFieldNotFound."""
    for field in FILLING:
        if (field.subject.value, field.name) == (subject, name):
            return field
    raise FactFieldNotFound([f"{field.subject}/{field.name}" for field in FILLING])
