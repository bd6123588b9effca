"""SQL that reads the found values for the empty fields of one lead."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from leadflood.domains.companies import queries as companies
from leadflood.domains.companies.permissions import COMPANIES_READ
from leadflood.domains.enrichment.contracts import EffectiveValueView, EnrichmentValueView
from leadflood.domains.enrichment.models import company_fields
from leadflood.domains.enrichment.models.company_fields import COMPANY_FIELDS
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.filling import FILLED_BY, FillState, policy_of
from leadflood.domains.enrichment.models.lead_fields import PERSON_FIELDS
from leadflood.domains.enrichment.queries import value_view
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.labels import name_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import sql
from leadflood.kernel.db.transaction import Transaction

_CATALOGS: Final = {SubjectKind.LEAD: PERSON_FIELDS, SubjectKind.COMPANY: COMPANY_FIELDS}
_COMPANY: Final = str(company_fields.NAME.fills)
_NAMES: Final = sorted({found.name for fields in FILLED_BY.values() for found in fields})

# The chosen values of a lead and its company for fields of the lead, the surest first for each field.
_CHOSEN = sql("""
SELECT c.subject_kind, c.confidence AS certainty, c.because, l.source, l.source_version, v.field, v.value, v.confidence,
       v.method, v.evidence, v.source_url, v.quote, v.cost_micros, v.observed_at
FROM chosen_values c
JOIN found_values v ON v.workspace_id = c.workspace_id AND v.lookup_id = c.lookup_id AND v.id = c.value_id
JOIN lookups l ON l.workspace_id = v.workspace_id AND l.id = v.lookup_id
WHERE c.workspace_id = :workspace_id AND c.subject_id = ANY (:subject_ids::uuid[]) AND c.field = ANY (:fields::text[])
  AND v.retraction_id IS NULL
ORDER BY c.field, c.confidence DESC, c.item
""")

# The found names of companies.
_COMPANY_NAMES = sql("""
SELECT c.subject_id, v.value
FROM chosen_values c
JOIN found_values v ON v.workspace_id = c.workspace_id AND v.lookup_id = c.lookup_id AND v.id = c.value_id
WHERE c.workspace_id = :workspace_id AND c.subject_id = ANY (:company_ids::uuid[]) AND c.field = 'name'
  AND v.retraction_id IS NULL
""")


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """A found value for a field of a lead.

    Attributes:
        field: its name in the database.
        found: the field that was found, with its type.
        view: the value as the lead would have it.
        receipt: where it comes from.
    """

    field: str
    found: FactField
    view: EffectiveValueView
    receipt: EnrichmentValueView


async def effective_values(tx: Transaction, actor: Actor, *, lead: LeadView) -> dict[str, EffectiveValue]:
    """Found values for the empty fields of a lead, by name in the API. Two statements.

    Values of the linked company only for actors who may read companies. A company that a user named has no found name.
    """
    linked = None
    if COMPANIES_READ in actor.permissions:
        linked = (await companies.companies_of_leads(tx, actor, [lead.id])).get(lead.id)
    subjects = [lead.id, *([linked.id] if linked is not None else [])]
    rows = await tx.all(_CHOSEN, {"workspace_id": actor.workspace_id, "subject_ids": subjects, "fields": _NAMES})
    return _effective(lead, rows, named=linked is not None and linked.name is not None)


async def found_company_names(tx: Transaction, actor: Actor, company_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The found names of companies; those without one are left out."""
    rows = await tx.all(_COMPANY_NAMES, {"workspace_id": actor.workspace_id, "company_ids": list(company_ids)})
    return {row.subject_id: str(row.value) for row in rows}


def effective_name(lead: LeadView, values: Mapping[str, EffectiveValue]) -> str:
    """Name of the person with found parts that are sure enough, or else the email."""
    filled = {item.field: item.view.value for item in values.values() if item.view.state is FillState.FILLED}
    return name_of(lead.model_copy(update=filled))


def views(values: Mapping[str, EffectiveValue]) -> dict[str, EffectiveValueView]:
    """The values as the API shows them."""
    return {name: item.view for name, item in values.items()}


def _effective(lead: LeadView, rows: Iterable[Row], *, named: bool) -> dict[str, EffectiveValue]:
    """Args: named: whether a user named the linked company: then no found name is right."""
    surest: dict[FactField, Row] = {}
    for row in rows:
        catalog = _CATALOGS[SubjectKind(row.subject_kind)]
        if row.field in catalog:
            surest.setdefault(catalog[row.field], row)
    effective: dict[str, EffectiveValue] = {}
    for field in LEAD_FIELDS:
        if field.name == _COMPANY and named:
            continue
        if field.name in FILLED_BY and getattr(lead, field.name) is None:
            candidates = _candidates(field.name, field.api_name, surest)
            if (first := next(candidates, None)) is not None:
                effective[field.api_name] = first
    return effective


def _candidates(name: str, api_name: str, surest: Mapping[FactField, Row]) -> Iterator[EffectiveValue]:
    """The usable values for a field, in order of precedence."""
    for found in FILLED_BY[name]:
        row = surest.get(found)
        state = policy_of(found).state(row.certainty) if row is not None else None
        if row is None or state is None:
            continue
        value = _lead_value(name, api_name, row.value)
        if value is not None:
            view = EffectiveValueView(
                value=value, state=state, confidence=row.certainty, subject=found.subject, source=row.source
            )
            yield EffectiveValue(name, found, view, value_view(row, row))


def _lead_value(name: str, api_name: str, value: FactValue) -> str | None:
    """The value as an edit would store it; None if a lead cannot have it."""
    given: dict[str, Any] = {api_name: value}
    try:
        stored = getattr(UpdateLead.model_validate(given), name)
    except ValidationError:
        return None
    return stored if isinstance(stored, str) else None
