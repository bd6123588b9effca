"""SQL that reads enrichment data."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from leadflood.domains.enrichment.contracts import (
    EnrichmentRunView,
    EnrichmentValueView,
    LeadEnrichmentView,
    PinMark,
    RejectionMark,
    RetractionMark,
)
from leadflood.domains.enrichment.models.choosing import Because
from leadflood.domains.enrichment.models.decisions import Rejection
from leadflood.domains.enrichment.models.fact_fields import FactCatalog
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.models.lookups import LookupState
from leadflood.domains.enrichment.queries.steps import costs_of, currency_of, latest_lead_run
from leadflood.domains.identity.labels import actor_label
from leadflood.domains.identity.queries import actor_names
from leadflood.domains.leads import queries as leads
from leadflood.domains.leads.contracts import ActorView
from leadflood.kernel.actor import Actor, ActorKind
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_MAX_LOOKUPS = 200
_FAILED = frozenset({LookupState.REFUSED, LookupState.AWAY})

# The latest answers about a lead.
_LOOKUPS = sql("""
SELECT id, job_id, source, source_version, state, sentence, cost_micros, asked_at, answered_at
FROM lookups WHERE workspace_id = :workspace_id AND lead_id = :lead_id AND answered_at IS NOT NULL
ORDER BY id DESC LIMIT :most
""")

# Values of lookups, for each field the chosen ones first, and those that were retracted last. Former corrections are
# left out: the timeline has them.
VALUES = sql("""
SELECT v.lookup_id, v.field, v.value, v.confidence, v.method, v.evidence, v.source_url, v.quote, v.observed_at,
       v.retraction_id, c.because, c.actor_kind, c.actor_id, c.chosen_at,
       r.actor_kind AS retracted_by_kind, r.actor_id AS retracted_by, r.created_at AS retracted_at
FROM found_values v
LEFT JOIN chosen_values c ON c.workspace_id = v.workspace_id AND c.lookup_id = v.lookup_id AND c.value_id = v.id
                         AND c.subject_id = :subject_id
LEFT JOIN retractions r ON r.workspace_id = v.workspace_id AND r.id = v.retraction_id
WHERE v.workspace_id = :workspace_id AND v.lookup_id = ANY(:lookup_ids)
  AND (v.retraction_id IS NULL OR r.id IS NOT NULL)
ORDER BY v.field, v.retraction_id IS NOT NULL, c.because IS NULL, v.confidence DESC, v.id DESC
""")

# The rejected values of a lead or company.
_REJECTED = sql("""
SELECT id, field, source, value_key, actor_kind, actor_id, created_at FROM rejected_values
WHERE workspace_id = :workspace_id AND (lead_id = :subject_id OR company_id = :subject_id)
""")

# The chosen values of leads.
_CHOSEN = sql("""
SELECT c.subject_id, c.field, v.value
FROM chosen_values c
JOIN found_values v ON v.workspace_id = c.workspace_id AND v.lookup_id = c.lookup_id AND v.id = c.value_id
WHERE c.workspace_id = :workspace_id AND c.subject_id = ANY(:lead_ids)
""")


async def get_lead_enrichment(tx: Transaction, actor: Actor, *, lead_id: UUID) -> LeadEnrichmentView:
    """The latest 200 answers about a lead and their values. Raises: leadflood.domains.leads.errors.LeadNotFound."""
    await leads.get_lead(tx, actor, lead_id=lead_id)
    lookups = await tx.all(_LOOKUPS, {"workspace_id": actor.workspace_id, "lead_id": lead_id, "most": _MAX_LOOKUPS})
    named = {"subject_id": lead_id, "lookup_ids": [lookup.id for lookup in lookups]}
    values = await tx.all(VALUES, {"workspace_id": actor.workspace_id, **named})
    by_id = {lookup.id: lookup for lookup in lookups}
    costs = costs_of(lookups)
    currency = await currency_of(tx, actor, costs.values())
    return LeadEnrichmentView(
        values=await marked_views(tx, actor, values, by_id, PERSON_FIELDS, subject_id=lead_id, currency=currency),
        runs=[_run_view(lookup) for lookup in lookups],
        latest_run=await latest_lead_run(tx, actor, lead_id=lead_id, costs=costs, currency=currency),
    )


async def chosen_values(
    tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]
) -> dict[UUID, dict[str, str | bool | int | float]]:
    """Chosen values of the leads, by field; leads without any are left out."""
    rows = await tx.all(_CHOSEN, {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids)})
    found: dict[UUID, dict[str, str | bool | int | float]] = {}
    for row in rows:
        found.setdefault(row.subject_id, {})[row.field] = row.value
    return found


async def marked_views(
    tx: Transaction,
    actor: Actor,
    values: Sequence[Row],
    lookups: Mapping[UUID, Row],
    catalog: FactCatalog,
    *,
    subject_id: UUID,
    currency: str | None,
) -> list[EnrichmentValueView]:
    """The views of rows of `VALUES`, with what people decided about them. Rejected ones come after the others.

    `currency`: of their costs.
    """
    rows = await tx.all(_REJECTED, {"workspace_id": actor.workspace_id, "subject_id": subject_id})
    rejected = {Rejection(row.field, row.source, row.value_key): row for row in rows}
    people = [row.actor_id for row in rows]
    people += [person for value in values for person in (value.actor_id, value.retracted_by)]
    names = await actor_names(tx, actor, {person for person in people if person})
    views = []
    for value in values:
        lookup = lookups[value.lookup_id]
        marks: dict[str, PinMark | None] = {"retraction": _retraction(value, names), "pin": pin_mark(value, names)}
        if rejected and value.field in catalog:
            key = catalog[value.field].compare(value.value)
            row = rejected.get(Rejection(value.field, lookup.source, key))
            marks["rejection"] = None if row is None else _rejection(row, names)
        views.append(value_view(value, lookup, currency).model_copy(update=marks))
    return sorted(views, key=lambda view: (view.field, view.retraction is not None, view.rejection is not None))


def pin_mark(value: Row, names: Mapping[UUID, str]) -> PinMark | None:
    """The pin of a chosen value. Former releases stored no author. `names`: of users and API keys."""
    if value.because != Because.PINNED or value.actor_kind is None:
        return None
    return PinMark(**_by(value.actor_kind, value.actor_id, names), at=value.chosen_at)


def _retraction(value: Row, names: Mapping[UUID, str]) -> RetractionMark | None:
    if value.retracted_at is None:
        return None
    by = _by(value.retracted_by_kind, value.retracted_by, names)
    return RetractionMark(id=value.retraction_id, **by, at=value.retracted_at)


def _rejection(row: Row, names: Mapping[UUID, str]) -> RejectionMark:
    return RejectionMark(id=row.id, **_by(row.actor_kind, row.actor_id, names), at=row.created_at)


def _by(kind: str, actor_id: UUID | None, names: Mapping[UUID, str]) -> dict[str, Any]:
    actor = ActorView(kind=ActorKind(kind), id=actor_id)
    return {"actor": actor, "actor_name": actor_label(actor.kind, actor_id, names)}


def value_view(value: Row, lookup: Row, currency: str | None) -> EnrichmentValueView:
    """The view of a value with the receipt of its lookup. Args: currency: of its cost."""
    return EnrichmentValueView(
        field=value.field,
        value=value.value,
        confidence=value.confidence,
        chosen=value.because is not None,
        because=value.because,
        source=lookup.source,
        source_version=lookup.source_version,
        method=value.method,
        evidence=value.evidence,
        source_url=value.source_url,
        quote=value.quote,
        cost_micros=lookup.cost_micros,
        currency=currency if lookup.cost_micros else None,
        observed_at=value.observed_at,
    )


def _run_view(lookup: Row) -> EnrichmentRunView:
    failed = lookup.state in _FAILED
    return EnrichmentRunView(
        id=lookup.id,
        job_id=lookup.job_id,
        source=lookup.source,
        source_version=lookup.source_version,
        status="failed" if failed else "completed",
        error=lookup.sentence if failed else None,
        cost_micros=lookup.cost_micros,
        started_at=lookup.asked_at,
        finished_at=lookup.answered_at,
    )
