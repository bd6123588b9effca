"""SQL that reads the found values for the empty fields of leads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

from pydantic import ValidationError

from leadflood.domains.enrichment.contracts import EffectiveValueView, EnrichmentValueView
from leadflood.domains.enrichment.models import company_fields
from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.fact_fields import FactField, FactValue, SubjectKind
from leadflood.domains.enrichment.models.filling import FILLED_BY, FillPolicies, FillState
from leadflood.domains.enrichment.queries import pin_mark, value_view
from leadflood.domains.enrichment.queries.policies import fill_policies
from leadflood.domains.enrichment.queries.steps import currency_of
from leadflood.domains.identity.queries import actor_names
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts import LeadView, UpdateLead
from leadflood.domains.leads.contracts.found_values import FoundValues
from leadflood.domains.leads.labels import name_of
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import EMPTY, assemble, sql, sql_file
from leadflood.kernel.db.transaction import Transaction

_COMPANY: Final = str(company_fields.NAME.fills)
_NAMES: Final = sorted({found.name for fields in FILLED_BY.values() for found in fields})

_CHOSEN = sql_file("leadflood.domains.enrichment.sql", "chosen_of_leads")
_FACTS = assemble(_CHOSEN, receipt=EMPTY, lookup=EMPTY)
_RECEIPTS = assemble(
    _CHOSEN,
    receipt=sql(""",
       c.because, c.actor_kind, c.actor_id, c.chosen_at, l.source, l.source_version, v.confidence, v.method,
       v.evidence, v.source_url, v.quote, l.cost_micros, v.observed_at"""),
    lookup=sql("""CROSS JOIN LATERAL (
    SELECT source, source_version, cost_micros FROM lookups
    WHERE workspace_id = :workspace_id AND id = c.lookup_id LIMIT 1
) l
"""),
)

# The same of companies alone.
_OF_COMPANIES = sql("""
SELECT c.subject_id, c.subject_kind, v.field, v.value, c.confidence AS certainty
FROM unnest(:company_ids::uuid[]) AS given (company_id)
CROSS JOIN LATERAL (
    SELECT * FROM chosen_values
    WHERE workspace_id = :workspace_id AND subject_id = given.company_id AND field = ANY (:fields::text[]) OFFSET 0
) c
CROSS JOIN LATERAL (
    SELECT * FROM found_values
    WHERE workspace_id = :workspace_id AND lookup_id = c.lookup_id AND id = c.value_id AND retraction_id IS NULL LIMIT 1
) v
ORDER BY c.subject_id, c.field, c.confidence DESC, c.item
""")

Known = Mapping[FactField, tuple[FactValue, float]]
"""The surest value of each field of a subject, with its confidence."""


@dataclass(frozen=True, slots=True)
class UsableValue:
    """A found value that a field of a lead can have. `value`: as the lead would have it."""

    found: FactField
    state: FillState
    value: str


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
    """Found values for the empty fields of a lead, by name in the API. Statements: see `effective_values_of`.

    A company that a user named has no found name.
    """
    return (await effective_values_of(tx, actor, leads=[lead]))[lead.id]


async def effective_values_of(
    tx: Transaction, actor: Actor, *, leads: Sequence[LeadView], policies: FillPolicies | None = None
) -> dict[UUID, dict[str, EffectiveValue]]:
    """The same of several leads, by lead. Two statements, whatever their number.

    One more if people pinned some values, and one if some were paid for.

    `policies`: None: those of the workspace.
    """
    if policies is None:
        policies = await fill_policies(tx, actor)
    values = {"workspace_id": actor.workspace_id, "lead_ids": [lead.id for lead in leads], "fields": _NAMES}
    rows: dict[UUID, list[Row]] = {lead.id: [] for lead in leads}
    for row in await tx.all(_RECEIPTS, values) if leads else ():
        rows[row.lead_id].append(row)
    pinned_by = {row.actor_id for items in rows.values() for row in items if row.actor_id is not None}
    names = await actor_names(tx, actor, pinned_by)
    currency = await currency_of(tx, actor, (row.cost_micros for items in rows.values() for row in items))
    return {lead.id: _effective(lead, rows[lead.id], policies, names, currency) for lead in leads}


async def found_values(tx: Transaction, actor: Actor, *, lead_ids: Sequence[UUID]) -> dict[UUID, FoundValues]:
    """The values that fill the fields of leads, whether these are empty or not, as all choices say."""
    policies = await fill_policies(tx, actor)
    values = {"workspace_id": actor.workspace_id, "lead_ids": list(lead_ids), "fields": _NAMES}
    rows: dict[UUID, list[Row]] = {lead_id: [] for lead_id in lead_ids}
    for row in await tx.all(_FACTS, values):
        rows[row.lead_id].append(row)
    return {
        lead_id: filling(_known(_surest(items)), policies, named=_is_named(items)) for lead_id, items in rows.items()
    }


async def company_facts(tx: Transaction, actor: Actor, *, company_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """The values of companies that their leads can use. Companies without such values are left out."""
    values = {"workspace_id": actor.workspace_id, "company_ids": list(company_ids), "fields": _NAMES}
    rows: dict[UUID, list[Row]] = {}
    for row in await tx.all(_OF_COMPANIES, values) if company_ids else ():
        rows.setdefault(row.subject_id, []).append(row)
    return {company_id: _known(_surest(items)) for company_id, items in rows.items()}


async def found_company_names(tx: Transaction, actor: Actor, company_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The found names of companies; those without one are left out."""
    values = {
        "workspace_id": actor.workspace_id,
        "company_ids": list(company_ids),
        "fields": [company_fields.NAME.name],
    }
    return {row.subject_id: str(row.value) for row in await tx.all(_OF_COMPANIES, values)}


async def found_industries(tx: Transaction, actor: Actor, company_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The found industries of companies; those without one are left out."""
    return await _texts(tx, actor, company_ids, company_fields.INDUSTRY)


async def found_sizes(tx: Transaction, actor: Actor, company_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Numbers of employees, or their ranges, as text."""
    return await _texts(tx, actor, company_ids, company_fields.EMPLOYEES, company_fields.EMPLOYEE_RANGE)


async def found_countries(tx: Transaction, actor: Actor, company_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Codes of the found countries of companies."""
    return await _texts(tx, actor, company_ids, company_fields.COUNTRY)


async def _texts(tx: Transaction, actor: Actor, company_ids: Sequence[UUID], *fields: FactField) -> dict[UUID, str]:
    """The surest value of the first of the fields that a company has."""
    values = {"workspace_id": actor.workspace_id, "company_ids": list(company_ids)}
    rows = await tx.all(_OF_COMPANIES, {**values, "fields": [field.name for field in fields]})
    found: dict[UUID, str] = {}
    for field in fields:
        for row in rows:
            if row.field == field.name:
                found.setdefault(row.subject_id, f"{row.value:,}" if isinstance(row.value, int) else str(row.value))
    return found


def filling(known: Known, policies: FillPolicies, *, named: bool) -> FoundValues:
    """The values that fill fields of a lead. `named`: a user named its company, so that no found name is right."""
    fields = {found.fills for found in known if found.fills is not None}
    usable = {name: usable_value(name, known, policies) for name in fields if not (named and name == _COMPANY)}
    return {name: item.value for name, item in usable.items() if item is not None and item.state is FillState.FILLED}


def usable_value(name: str, known: Known, policies: FillPolicies) -> UsableValue | None:
    """The first usable value for a field of a lead, in order of precedence."""
    for found in FILLED_BY[name]:
        value, confidence = known.get(found, (None, 0.0))
        state = policies.of(found).state(confidence) if isinstance(value, str) else None
        stored = _lead_value(name, value) if state is not None and isinstance(value, str) else None
        if state is not None and stored is not None:
            return UsableValue(found, state, stored)
    return None


def effective_name(lead: LeadView, values: Mapping[str, EffectiveValue]) -> str:
    """Name of the person with found parts that are sure enough, or else the email."""
    filled = {item.field: item.view.value for item in values.values() if item.view.state is FillState.FILLED}
    return name_of(lead.model_copy(update=filled))


def views(values: Mapping[str, EffectiveValue]) -> dict[str, EffectiveValueView]:
    """The values as the API shows them."""
    return {name: item.view for name, item in values.items()}


def _surest(rows: Iterable[Row]) -> dict[FactField, Row]:
    surest: dict[FactField, Row] = {}
    for row in rows:
        catalog = CATALOGS[SubjectKind(row.subject_kind)]
        if row.field in catalog:
            surest.setdefault(catalog[row.field], row)
    return surest


def _known(surest: Mapping[FactField, Row]) -> Known:
    return {found: (row.value, row.certainty) for found, row in surest.items()}


def _is_named(rows: Iterable[Row]) -> bool:
    return any(row.named for row in rows)


def _effective(
    lead: LeadView,
    rows: Sequence[Row],
    policies: FillPolicies,
    names: Mapping[UUID, str],
    currency: str | None,
) -> dict[str, EffectiveValue]:
    surest, named = _surest(rows), _is_named(rows)
    known = _known(surest)
    effective: dict[str, EffectiveValue] = {}
    for field in LEAD_FIELDS:
        if field.name not in FILLED_BY or getattr(lead, field.name) is not None or (named and field.name == _COMPANY):
            continue
        usable = usable_value(field.name, known, policies)
        if usable is not None:
            row = surest[usable.found]
            view = EffectiveValueView(
                value=usable.value,
                state=usable.state,
                confidence=row.certainty,
                subject=usable.found.subject,
                source=row.source,
            )
            receipt = value_view(row, row, currency).model_copy(update={"pin": pin_mark(row, names)})
            effective[field.api_name] = EffectiveValue(field.name, usable.found, view, receipt)
    return effective


@lru_cache(maxsize=10_000)
def _lead_value(name: str, value: str) -> str | None:
    """The value as an edit would store it; None if a lead cannot have it."""
    try:
        stored = getattr(UpdateLead.model_validate({LEAD_FIELDS[name].api_name: value}), name)
    except ValidationError:
        return None
    return stored if isinstance(stored, str) else None
