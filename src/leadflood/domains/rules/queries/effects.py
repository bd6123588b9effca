"""Leads that rules would run on if a version of a profile was published."""

from uuid import UUID

from leadflood.domains.icps import queries as icps
from leadflood.domains.icps.contracts.icps import Preview
from leadflood.domains.icps.queries import scores
from leadflood.domains.rules import queries
from leadflood.domains.rules.contracts import RuleEffect, RuleEffects
from leadflood.domains.rules.models import Trigger
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# The profile and the number of a version.
_VERSION = sql("""
SELECT v.icp_id, v.number FROM icp_versions v
JOIN icps i ON i.workspace_id = v.workspace_id AND i.id = v.icp_id AND i.deleted_at IS NULL
WHERE v.workspace_id = :workspace_id AND v.id = :version_id
""")


async def rule_effects(tx: Transaction, actor: Actor, *, icp_id: UUID, number: int | None = None) -> RuleEffects:
    """The effects of a version: without a number the draft, or else the live one.

    Raises: leadflood.domains.icps.errors.IcpNotFound, IcpVersionNotFound.
    """
    is_live = (await icps.get_icp(tx, actor, icp_id=icp_id)).live is not None
    rules = [each for each in await queries.enabled_rules(tx, actor.workspace_id) if each.icp_id == icp_id]
    await icps.get_version(tx, actor, icp_id=icp_id, number=number)
    if not rules:
        return RuleEffects(items=[])
    found = await scores.preview(tx, actor, icp_id=icp_id, number=number)
    items = [
        RuleEffect(
            rule_id=rule.id, name=rule.name, leads=_scaled(found, _touched(found, rule, is_live)), exact=found.exact
        )
        for rule in rules
    ]
    return RuleEffects(items=sorted(items, key=lambda each: each.name.casefold()))


async def effects_of_version(tx: Transaction, actor: Actor, version_id: UUID) -> list[RuleEffect]:
    """The same of a version by its ID; none if it was deleted."""
    row = await tx.first(_VERSION, {"workspace_id": actor.workspace_id, "version_id": version_id})
    return (await rule_effects(tx, actor, icp_id=row.icp_id, number=row.number)).items if row is not None else []


def _touched(found: Preview, rule: Row, is_live: bool) -> int:  # noqa: FBT001  whether a version is live
    """Number of scored leads that the rule would run on."""
    enters = rule.trigger == Trigger.ENTERS
    if not is_live:
        counts = {each.tier: each.leads for each in found.tiers}
        return counts.get(rule.tier, 0) if enters and rule.include_present else 0
    return sum(each.leads for each in found.movements if (each.after if enters else each.before) == rule.tier)


def _scaled(found: Preview, leads: int) -> int:
    return leads if found.exact or not found.leads else round(leads * found.total / found.leads)
