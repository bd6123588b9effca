"""Stakes of answers about a lead or company: the tiers by the main profile."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from leadflood.domains.enrichment.models.fact_fields import FactField, SubjectKind
from leadflood.domains.enrichment.models.worth import RunProgress
from leadflood.domains.icps import queries
from leadflood.domains.icps.models.catalog import FactPlace, ProfileCatalog, Shape
from leadflood.domains.icps.models.evaluate import Facts, current, evaluate
from leadflood.domains.icps.models.profiles import FactValue, FitProfile
from leadflood.domains.icps.models.worth import Case, could_change
from leadflood.domains.icps.queries.scores import facts_of
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.kernel.actor import Actor
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

MAX_LEADS: Final = 200
"""Leads of a company that are tried. About a company with more, all sources are asked."""

_FOUND: Final = (FactPlace.LEAD, FactPlace.COMPANY)

# The leads of a company.
_LEADS = sql("""
SELECT k.lead_id FROM company_leads k
JOIN leads l ON l.workspace_id = k.workspace_id AND l.id = k.lead_id AND l.deleted_at IS NULL
WHERE k.workspace_id = :workspace_id AND k.company_id = :company_id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class TierStakes:
    """The tiers of leads by a profile. See `leadflood.domains.enrichment.models.worth.Stakes`."""

    name: str
    profile: FitProfile
    catalog: ProfileCatalog
    leads: Sequence[Facts]

    def why_not(self, fields: frozenset[FactField], progress: RunProgress) -> str | None:
        """See `Stakes.why_not`. A fact that is known and sure counts as known."""
        cases = [self._case(facts, fields, progress) for facts in self.leads]
        if any(map(could_change, cases)):
            return None
        tiers = {self._tier(case) for case in cases}
        if len(tiers) > 1:
            return f"Not asked: no answer could change a tier of {self.name}."
        (tier,) = tiers
        if tier is None:
            return f"Not asked: {self.name} excludes the lead, whatever the answer."
        return f"Not asked: no answer could change the tier {tier} of {self.name}."

    def _case(self, facts: Facts, fields: frozenset[FactField], progress: RunProgress) -> Case:
        now = utc_now()
        values = current(self.profile, facts, self.catalog, now)
        changing = self._keys(progress.unsatisfied)
        for key, value in self._found(progress):
            if key not in facts.values:
                values[key] = value
            elif facts.values[key] != value:
                changing.add(key)
        changing |= {key for key in self.profile.fields if key not in values}
        answers = self._keys(fields)
        growing = {key for key in answers if self.catalog[key].shape is Shape.SET}
        return Case(
            self.profile, self.catalog, values, frozenset(answers & (changing | growing)), frozenset(changing), now
        )

    def _found(self, progress: RunProgress) -> Iterable[tuple[str, FactValue]]:
        """Findings of a run as the facts of a profile, without those that may fill fields of the lead."""
        for field, value in progress.found.items():
            key = f"{field.subject}.{field.name}"
            if key in self.catalog and self.catalog[key].place in _FOUND and self.catalog[key].fits(value):
                yield key, value

    def _keys(self, fields: Iterable[FactField]) -> set[str]:
        """Keys of the facts that values of the fields change."""
        keys = set()
        for field in fields:
            keys.add(f"{field.subject}.{field.name}")
            if field.fills is not None:
                keys.add(f"lead.{LEAD_FIELDS[field.fills].api_name}")
        return {key for key in keys if key in self.catalog}

    def _tier(self, case: Case) -> str | None:
        return evaluate(self.profile, Facts(case.values), self.catalog, case.now).tier


async def read_stakes(tx: Transaction, actor: Actor, subject: SubjectKind, subject_id: UUID) -> TierStakes | None:
    """The tiers of a lead, or of the leads of a company, by the live version of the main profile.

    None without one, without leads, and for a company with very many.
    """
    main = next((icp for icp in await queries.list_icps(tx, actor) if icp.main), None)
    row = await queries.live_row(tx, actor, icp_id=main.id) if main is not None else None
    if main is None or row is None:
        return None
    lead_ids = [subject_id]
    if subject is SubjectKind.COMPANY:
        values = {"workspace_id": actor.workspace_id, "company_id": subject_id, "limit": MAX_LEADS + 1}
        lead_ids = [found.lead_id for found in await tx.all(_LEADS, values)]
    if not lead_ids or len(lead_ids) > MAX_LEADS:
        return None
    profile, catalog = queries.stored_profile(row.id, row.body, row.shapes)
    facts = await facts_of(tx, actor, lead_ids=lead_ids, profile=profile, catalog=catalog)
    return TierStakes(main.name, profile, catalog, [*facts.values()]) if facts else None
