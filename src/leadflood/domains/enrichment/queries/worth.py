"""SQL that reads by which rule paid sources of a run are left out, and what that saved."""

from collections.abc import Collection
from uuid import UUID

from leadflood.domains.enrichment.extensions import STAKES
from leadflood.domains.enrichment.models.fact_fields import SubjectKind
from leadflood.domains.enrichment.models.planning import is_paid
from leadflood.domains.enrichment.models.source_sets import SourceSet
from leadflood.domains.enrichment.models.worth import Worth
from leadflood.domains.enrichment.queries.settings import enrichment_settings
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

# Sources that were asked about a lead or company and have not answered, and whether a person has rejected values.
_BEGUN = sql("""
SELECT ARRAY(SELECT DISTINCT source FROM lookups
             WHERE workspace_id = :workspace_id AND (lead_id = :lead_id OR company_id = :company_id)
               AND state IN ('asked', 'waiting', 'in_doubt')) AS sources,
       EXISTS (SELECT FROM rejected_values
               WHERE workspace_id = :workspace_id AND (lead_id = :lead_id OR company_id = :company_id)) AS rejects
""")

# Those of the sources that have an answer about a lead or company which is still kept.
_KEPT = sql("""
SELECT DISTINCT source FROM lookups
WHERE workspace_id = :workspace_id AND (lead_id = :lead_id OR company_id = :company_id)
  AND source = ANY (:sources::text[]) AND answered_at IS NOT NULL AND expires_at > now()
""")


async def read_worth(
    tx: Transaction, actor: Actor, *, subject: SubjectKind, subject_id: UUID, sources: SourceSet
) -> Worth | None:
    """The rule for the paid sources of a run; None: all are asked."""
    specs = [source.spec for source in sources.sources]
    paid = any(spec.subject is subject and is_paid(spec) for spec in specs)
    if not paid or STAKES.read is None or not await only_for_tier(tx, actor):
        return None
    stakes = await STAKES.read(tx, actor, subject, subject_id)
    if stakes is None:
        return None
    (row,) = await tx.all(_BEGUN, {"workspace_id": actor.workspace_id, **_columns(subject, subject_id)})
    return Worth(stakes, specs, frozenset(row.sources), row.rejects)


async def only_for_tier(tx: Transaction, actor: Actor) -> bool:
    """Whether paid sources are left out whose answers could change no tier."""
    return (await enrichment_settings(tx, actor)).paid_sources_only_for_tier


async def kept_answers(
    tx: Transaction, actor: Actor, *, subject: SubjectKind, subject_id: UUID, sources: Collection[str]
) -> set[str]:
    """Those of the sources whose answer about a subject is still kept, so that asking would cost nothing."""
    values = {"workspace_id": actor.workspace_id, **_columns(subject, subject_id), "sources": list(sources)}
    return {row.source for row in await tx.all(_KEPT, values)}


def _columns(subject: SubjectKind, subject_id: UUID) -> dict[str, UUID | None]:
    return {
        "lead_id": subject_id if subject is SubjectKind.LEAD else None,
        "company_id": subject_id if subject is SubjectKind.COMPANY else None,
    }
