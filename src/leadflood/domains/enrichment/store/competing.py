"""SQL that reads the values which compete: those of the latest hit of each source, as far as they are not retracted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from leadflood.domains.enrichment.models.choosing import FactCandidate
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.decisions import Rejection
from leadflood.domains.enrichment.models.fact_fields import FactCatalog
from leadflood.domains.enrichment.models.facts import Fact
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.models.policies import ChoiceRules
from leadflood.domains.enrichment.models.retractions import competing
from leadflood.domains.enrichment.store.lookups import fact_of
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction

_COLUMNS = sql("""
v.lookup_id, v.id, v.field, v.value, v.confidence, v.method, v.evidence, v.source_url, v.quote, v.observed_at,
       v.retraction_id
""")

# The values of the latest hit of each source, and of all corrections. One look per lead, whatever PostgreSQL knows of
# the tables: a single one for all was seen to read every lookup of the workspace.
OF_LEADS = assemble(
    sql("""
SELECT latest.source, n.lead_id, {columns},
       EXISTS (SELECT FROM rejected_values r WHERE r.workspace_id = :workspace_id AND r.lead_id = n.lead_id) AS rejects
FROM unnest(:lead_ids::uuid[]) AS n (lead_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (source, CASE source WHEN 'manual' THEN id END) id, source
    FROM lookups
    WHERE workspace_id = :workspace_id AND lead_id = n.lead_id AND state = 'found'
    ORDER BY source, CASE source WHEN 'manual' THEN id END, answered_at DESC, id DESC
) AS latest
CROSS JOIN LATERAL (
    SELECT * FROM found_values WHERE workspace_id = :workspace_id AND lookup_id = latest.id OFFSET 0
) v
ORDER BY v.lookup_id, v.id
"""),
    columns=_COLUMNS,
)

# The values of all hits about leads, newest hits first. Read only where some were retracted.
ALL_OF_LEADS = assemble(
    sql("""
SELECT l.source, l.lead_id, {columns}
FROM lookups l JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id
WHERE l.workspace_id = :workspace_id AND l.lead_id = ANY (:lead_ids::uuid[]) AND l.state = 'found'
ORDER BY l.lead_id, l.answered_at DESC, l.id DESC, v.id
"""),
    columns=_COLUMNS,
)

OF_COMPANY = sql_file("leadflood.domains.enrichment.sql", "competing_company_facts")

# The values of all hits about a company, newest hits first. Read only where some were retracted.
ALL_OF_COMPANY = assemble(
    sql("""
SELECT l.source, {columns}
FROM lookups l JOIN found_values v ON v.workspace_id = l.workspace_id AND v.lookup_id = l.id
WHERE l.workspace_id = :workspace_id AND l.state = 'found'
  AND (l.company_id = :company_id OR l.id = ANY (:lookup_ids::uuid[]) AND l.company_id IS NOT NULL)
ORDER BY l.answered_at DESC, l.id DESC, v.id
"""),
    columns=_COLUMNS,
)

# The lookups that the choices of a company refer to.
CHOSEN_LOOKUPS = sql("""
SELECT DISTINCT lookup_id FROM chosen_values WHERE workspace_id = :workspace_id AND subject_id = :company_id
""")


# The rejected values of leads or companies.
REJECTED = sql("""
SELECT coalesce(lead_id, company_id) AS subject_id, field, source, value_key FROM rejected_values
WHERE workspace_id = :workspace_id AND (lead_id = ANY (:ids::uuid[]) OR company_id = ANY (:ids::uuid[]))
""")


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact of an earlier answer that still competes."""

    source: str
    lookup_id: UUID
    value_id: UUID
    fact: Fact

    def candidate(self, rules: ChoiceRules) -> FactCandidate:
        """The fact as one to choose from."""
        return FactCandidate(self.fact, self.source, rules.family(self.source))


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """The facts about a lead or company that an answer, or a person, has given.

    Attributes:
        every: those that are not retracted, of the latest hit of each source.
        rejected: values that are not chosen.
    """

    every: Sequence[StoredFact] = ()
    rejected: Collection[Rejection] = ()

    @property
    def facts(self) -> list[StoredFact]:
        """Those that compete."""
        return [one for one in self.every if not self.is_rejected(one.source, one.fact)]

    def is_rejected(self, source: str, fact: Fact) -> bool:
        """Whether a person said that a fact of this source is wrong."""
        return bool(self.rejected) and Rejection(fact.field.name, source, fact.key) in self.rejected


async def competing_facts(tx: Transaction, workspace_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, KnownFacts]:
    """The facts about leads that compete, by lead."""
    found: dict[UUID, list[Row]] = {lead_id: [] for lead_id in lead_ids}
    for row in await tx.all(OF_LEADS, {"workspace_id": workspace_id, "lead_ids": list(lead_ids)}):
        found[row.lead_id].append(row)
    deciding = [lead_id for lead_id, rows in found.items() if rows and rows[0].rejects]
    affected = [lead_id for lead_id, rows in found.items() if _is_affected(rows)]
    if affected:
        found |= {lead_id: [] for lead_id in affected}
        for row in await tx.all(ALL_OF_LEADS, {"workspace_id": workspace_id, "lead_ids": affected}):
            found[row.lead_id].append(row)
    rejected = await rejections(tx, workspace_id, deciding) if deciding else {}
    return {
        lead_id: KnownFacts(_facts(PERSON_FIELDS, rows), rejected.get(lead_id, ())) for lead_id, rows in found.items()
    }


async def competing_company_facts(
    tx: Transaction, workspace_id: UUID, company_id: UUID, *, used: Collection[UUID] = ()
) -> KnownFacts:
    """The facts about a company that compete.

    Args: used: lookups whose answers its runs used, whichever company they belong to.
    """
    company = {"workspace_id": workspace_id, "company_id": company_id}
    rows = await tx.all(OF_COMPANY, {**company, "lookup_ids": [*used]})
    rejected = await rejections(tx, workspace_id, [company_id]) if rows and rows[0].rejects else {}
    if _is_affected(rows):
        chosen = [row.lookup_id for row in await tx.all(CHOSEN_LOOKUPS, company)]
        rows = await tx.all(ALL_OF_COMPANY, {**company, "lookup_ids": [*used, *chosen]})
    return KnownFacts(_facts(COMPANY_FIELDS, rows), rejected.get(company_id, ()))


async def rejections(tx: Transaction, workspace_id: UUID, subject_ids: Sequence[UUID]) -> dict[UUID, set[Rejection]]:
    """The rejected values of leads or companies, by subject. Those without any are left out."""
    found: dict[UUID, set[Rejection]] = {}
    for row in await tx.all(REJECTED, {"workspace_id": workspace_id, "ids": list(subject_ids)}):
        found.setdefault(row.subject_id, set()).add(Rejection(row.field, row.source, row.value_key))
    return found


def _is_affected(rows: Sequence[Row]) -> bool:
    return any(row.retraction_id is not None for row in rows)


def _facts(catalog: FactCatalog, rows: Sequence[Row]) -> list[StoredFact]:
    facts = ((row, fact_of(catalog, row)) for row in (competing(rows) if _is_affected(rows) else rows))
    return [StoredFact(row.source, row.lookup_id, row.id, fact) for row, fact in facts if fact is not None]
