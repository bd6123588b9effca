"""Extension of leads by profiles: tier and score as column, filters and column of files, and panels."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from leadflood.domains.icps import queries
from leadflood.domains.icps.contracts.icps import LeadScoreRef
from leadflood.domains.icps.permissions import ICPS_READ
from leadflood.domains.icps.queries import outcomes, scores
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import Extension, Panel, RelatedField, RelatedOrder
from leadflood.kernel.filters import Column, FilterField, Kind, Relation

SHOWN: Final = 10
"""Outcomes in the panel of a lead."""
_SCORED: Final = Relation(
    "main_icp_scores",
    sql("""
EXISTS (SELECT FROM main_icp_scores related
        WHERE related.workspace_id = leads.workspace_id AND related.lead_id = leads.id AND {conditions})
"""),
)

# The scores by the main profile, without those of excluded leads. Its version is a constant of the statement, so that
# the index gives the order.
_RANKED: Final = sql("""
SELECT lead_id, score AS sort_key FROM icp_scores
WHERE workspace_id = :workspace_id AND tier IS NOT NULL
  AND version_id = (SELECT live_version_id FROM icps WHERE workspace_id = :workspace_id AND is_main)
""")


async def _tiers(tx: Transaction, actor: Actor) -> dict[str, str]:
    """The tiers of the main profile, by name."""
    live = await queries.main_profile(tx, actor)
    return {tier.name: tier.name for tier in live.tiers} if live is not None else {}


FILTERS: Final = (
    FilterField("tier", "Tier", Kind.CHOICE, Column("tier", sql("related.tier")), _SCORED, options=_tiers),
    FilterField("score", "Score", Kind.NUMBER, Column("score", sql("related.score")), _SCORED),
    FilterField("possibleScore", "Possible score", Kind.NUMBER, Column("hi", sql("related.hi")), _SCORED),
)


async def _main_scores(tx: Transaction, actor: Actor, lead_ids: Sequence[UUID]) -> dict[UUID, LeadScoreRef]:
    found = await scores.scores_of_leads(tx, actor, lead_ids)
    return {lead_id: refs[0] for lead_id, refs in found.items() if refs[0].main}


def _plain(ref: LeadScoreRef | None) -> list[str]:
    if ref is None:
        return []
    return ["Excluded"] if ref.excluded else [f"{ref.tier} {ref.score}"]


async def _load_panel(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any] | None:
    refs = (await scores.scores_of_leads(tx, actor, [lead_id])).get(lead_id, [])
    if not refs or not refs[0].main:
        return None
    score, improved = await scores.explain_and_improve(tx, actor, lead_id=lead_id)
    return {"refs": refs, "score": score, "improved": improved}


async def _load_outcomes(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any]:
    return {"outcomes": (await outcomes.outcomes_of(tx, actor, lead_id=lead_id, limit=SHOWN)).items}


EXTENSION: Final = Extension(
    fields=(
        RelatedField(
            name="fit",
            label="Fit",
            load=_main_scores,
            schema=LeadScoreRef | None,
            permission=ICPS_READ,
            cell="icps/_cell.html",
            names=_plain,
            order=RelatedOrder("score", _RANKED),
        ),
    ),
    panels=(
        Panel(
            name="fit",
            title="Fit",
            template="icps/_panel.html",
            load=_load_panel,
            permission=ICPS_READ,
            main=True,
            order=20,
        ),
        Panel(
            name="outcomes",
            title="Outcome",
            template="icps/_outcomes.html",
            load=_load_outcomes,
            permission=ICPS_READ,
            order=30,
        ),
    ),
)
