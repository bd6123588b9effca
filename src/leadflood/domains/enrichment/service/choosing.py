"""Choosing again among what is known of leads and companies, after something other than an answer changed it."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from uuid import UUID

from leadflood.domains.enrichment import store
from leadflood.domains.enrichment.models.choosing import choose_all
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.policies import ChoiceRules
from leadflood.domains.enrichment.service import company_runs
from leadflood.domains.enrichment.service.effective import refresh_companies, refresh_leads
from leadflood.domains.enrichment.store import Choice
from leadflood.domains.enrichment.store.competing import StoredFact, competing_facts
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.events import NO_TRACE


async def choose_for_leads(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID], rules: ChoiceRules) -> None:
    """Choose again for up to 500 locked leads, and bring their found values up to date. What a person pinned stays."""
    if not lead_ids:
        return
    known = await competing_facts(tx, actor.workspace_id, lead_ids)
    now = utc_now()
    kept: dict[UUID, list[Choice]] = {}
    chosen: dict[UUID, list[tuple[StoredFact, Choice]]] = {}
    for lead_id, about in known.items():
        stored = about.facts
        by_fact = {id(one.fact): one for one in stored}
        candidates = [one.candidate(rules) for one in stored]
        values = choose_all(candidates, now=now, policy=rules.policy)
        kept[lead_id] = [Choice.of(value) for several in values.values() for value in several]
        chosen[lead_id] = [(by_fact[id(choice.fact)], choice) for choice in kept[lead_id]]
    await store.unchoose(tx, actor.workspace_id, kept)
    await store.choose(tx, actor.workspace_id, SubjectKind.LEAD, chosen)
    await refresh_leads(tx, actor, lead_ids=lead_ids)


async def choose_for_companies(
    tx: Transaction,
    actor: Actor,
    *,
    company_ids: Collection[UUID],
    rules: ChoiceRules,
    used: Mapping[UUID, Collection[UUID]] = MappingProxyType({}),
    trace: Mapping[str, str] = NO_TRACE,
) -> None:
    """The same for locked companies, their status included.

    `used`: by company, lookups of others whose answers count for it.
    """
    for company_id in sorted(company_ids):
        await company_runs.choose_with_status(
            tx, actor, company_id=company_id, rules=rules, used=used.get(company_id, ())
        )
    await refresh_companies(tx, actor, company_ids=company_ids, trace=trace)
