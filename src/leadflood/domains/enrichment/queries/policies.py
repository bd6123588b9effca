"""SQL that reads the policies of found fields."""

from pydantic.alias_generators import to_camel

from leadflood.domains.enrichment.contracts.policies import FillPoliciesView, FillPolicyView
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.fact_fields import FactField, SubjectKind
from leadflood.domains.enrichment.models.filling import FILLING, FillPolicies, FillPolicy
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The policies that a workspace has changed.
POLICIES = sql("SELECT subject_kind, field, fill_at, suggest FROM fill_policies WHERE workspace_id = :workspace_id")


async def fill_policies(tx: Transaction, actor: Actor) -> FillPolicies:
    """The policies of the workspace. Those of fields that only another release knows are left out."""
    own: dict[FactField, FillPolicy] = {}
    for row in await tx.all(POLICIES, {"workspace_id": actor.workspace_id}):
        catalog = CATALOGS[SubjectKind(row.subject_kind)]
        if row.field in catalog:
            own[catalog[row.field]] = FillPolicy(row.fill_at, row.suggest)
    return FillPolicies(own)


async def list_policies(tx: Transaction, actor: Actor) -> FillPoliciesView:
    """The policies of all found fields that fill fields of leads."""
    policies = await fill_policies(tx, actor)
    return FillPoliciesView(items=[policy_view(field, policies) for field in FILLING])


def policy_view(field: FactField, policies: FillPolicies) -> FillPolicyView:
    """The policy of one field."""
    policy = policies.of(field)
    return FillPolicyView(
        subject=field.subject,
        field=field.name,
        lead_field=to_camel(str(field.fills)),
        fill_at=policy.fill_at,
        suggest=policy.suggest,
        standard=field not in policies.own,
    )
