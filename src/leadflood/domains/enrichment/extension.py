"""Facts about companies on their page and on the pages of their leads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from leadflood.domains.companies.extensions import FOUND_NAME
from leadflood.domains.companies.permissions import COMPANIES_READ
from leadflood.domains.companies.queries import company_of_lead
from leadflood.domains.enrichment.contracts import (
    AcceptAllValues,
    CompanyEnrichmentView,
    CompanyRunView,
    EnrichmentValueView,
)
from leadflood.domains.enrichment.models.company_fields import GROUPS, NAME, SUMMARY
from leadflood.domains.enrichment.models.company_runs import CompanyRunState
from leadflood.domains.enrichment.models.fact_fields import FactField, FactType
from leadflood.domains.enrichment.queries.aliases import suggested_alias
from leadflood.domains.enrichment.queries.companies import get_company_enrichment, latest_runs
from leadflood.domains.enrichment.queries.decisions import company_suggestions
from leadflood.domains.enrichment.queries.effective import (
    found_company_names,
    found_countries,
    found_industries,
    found_sizes,
)
from leadflood.domains.enrichment.queries.lost_calls import is_lost
from leadflood.domains.enrichment.service.acceptance import accept_all, prepare_all, undo_none
from leadflood.domains.leads.permissions import LEADS_WRITE
from leadflood.domains.spending.permissions import SPENDING_WRITE
from leadflood.domains.spending.queries import get_purchase
from leadflood.kernel.actor import Actor
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.extensions import BulkOperation, Extension, Panel, RelatedField


@dataclass(frozen=True, slots=True)
class ShownFact:
    """A value with the others of its field that were not chosen.

    Attributes:
        id: unique on the page.
    """

    id: str
    value: EnrichmentValueView
    others: Sequence[EnrichmentValueView] = ()


@dataclass(frozen=True, slots=True)
class ShownField:
    """A field with its chosen values."""

    label: str
    type: FactType
    facts: Sequence[ShownFact]


def shown_fields(fields: Iterable[FactField], values: Sequence[EnrichmentValueView]) -> list[ShownField]:
    """Those of the fields that have a chosen value, or else retracted and rejected ones, which are shown as such."""
    shown = []
    for field in fields:
        found = [item for item in values if item.field == field.name]
        chosen = [item for item in found if item.chosen]
        others = [item for item in found if not item.chosen and (not field.multiple or not item.competes)]
        if not chosen and others:
            chosen, others = [others[0]], others[1:]
        facts = [ShownFact(f"fact-{field.name}-{place}", item, others) for place, item in enumerate(chosen)]
        if facts:
            shown.append(ShownField(field.label, field.type, facts))
    return shown


def is_live(run: CompanyRunView | None) -> bool:
    """Whether the company is being read."""
    return run is not None and run.state is CompanyRunState.RUNNING


async def _load_facts(tx: Transaction, actor: Actor, company_id: UUID) -> dict[str, Any] | None:
    found = await get_company_enrichment(tx, actor, company_id=company_id)
    groups = [(label, shown) for label, fields in GROUPS if (shown := shown_fields(fields, found.values))]
    if not groups and not found.runs:
        return None
    suggested = [field.name for field in await company_suggestions(tx, actor, company_id=company_id)]
    return {"groups": groups, "reading": is_live(found.latest), "suggested": suggested}


async def _load_run(tx: Transaction, actor: Actor, company_id: UUID) -> dict[str, Any]:
    found = CompanyEnrichmentView(values=[], runs=await latest_runs(tx, actor, company_id=company_id))
    return {"run": found.latest, "scheduled": found.scheduled}


async def _load_of_lead(tx: Transaction, actor: Actor, lead_id: UUID) -> dict[str, Any] | None:
    linked = (await company_of_lead(tx, actor, lead_id=lead_id)).company
    if linked is None:
        return None
    found = await get_company_enrichment(tx, actor, company_id=linked.id)
    if not found.values and not found.runs:
        return None
    names = [str(item.value) for item in found.values if item.chosen and item.field == NAME.name]
    title = linked.name or next(iter(names), linked.title)
    shown = shown_fields(SUMMARY, found.values)
    return {"company": linked, "title": title, "fields": shown, "run": found.latest}


LEAD_EXTENSION: Final = Extension(
    operations=(
        BulkOperation(
            name="acceptFoundValues",
            label="Accept found values",
            heading="Accept the found values of",
            done="updated",
            running="Accepting found values of",
            icon="sparkles",
            permission=LEADS_WRITE,
            arguments=AcceptAllValues,
            prepare=prepare_all,
            apply=accept_all,
            undo=undo_none,
            writes=True,
            order=30,
        ),
    ),
    panels=(
        Panel(
            name="company-facts",
            title="Company facts",
            template="enrichment/_lead_company.html",
            load=_load_of_lead,
            permission=COMPANIES_READ,
            main=True,
            order=10,
        ),
    ),
)


async def _load_alias(tx: Transaction, actor: Actor, company_id: UUID) -> dict[str, Any] | None:
    suggestion = await suggested_alias(tx, actor, company_id=company_id)
    return {"suggestion": suggestion} if suggestion else None


COMPANY_EXTENSION: Final = Extension(
    fields=(
        RelatedField(
            name=FOUND_NAME,
            label="Found name",
            load=found_company_names,
            schema=str | None,
            permission=COMPANIES_READ,
        ),
        RelatedField(
            name="foundIndustry",
            label="Industry",
            load=found_industries,
            schema=str | None,
            permission=COMPANIES_READ,
            cell="enrichment/_text_cell.html",
        ),
        RelatedField(
            name="foundSize",
            label="Employees",
            load=found_sizes,
            schema=str | None,
            permission=COMPANIES_READ,
            cell="enrichment/_text_cell.html",
        ),
        RelatedField(
            name="foundCountry",
            label="Country",
            load=found_countries,
            schema=str | None,
            permission=COMPANIES_READ,
            cell="enrichment/_country_cell.html",
        ),
    ),
    panels=(
        Panel(
            name="facts",
            title="Facts",
            template="enrichment/_facts.html",
            load=_load_facts,
            permission=COMPANIES_READ,
            main=True,
            order=10,
        ),
        Panel(
            name="alias",
            title="Same company?",
            template="enrichment/_alias.html",
            load=_load_alias,
            permission=COMPANIES_READ,
            order=5,
        ),
        Panel(
            name="run",
            title="Sources",
            template="enrichment/_run.html",
            load=_load_run,
            permission=COMPANIES_READ,
            order=10,
        ),
    ),
)


async def _load_lost(tx: Transaction, actor: Actor, purchase_id: UUID) -> dict[str, Any] | None:
    """The most that asking again can cost; None if the answer of the purchase was not lost."""
    purchase = await get_purchase(tx, actor, purchase_id=purchase_id)
    if not await is_lost(tx, actor, purchase=purchase):
        return None
    return {"most": purchase.most_micros, "currency": purchase.currency}


PURCHASE_EXTENSION: Final = Extension(
    panels=(
        Panel(
            name="lost",
            title="Lost answer",
            template="purchases/_lost.html",
            load=_load_lost,
            permission=SPENDING_WRITE,
        ),
    ),
)
