"""SQL that reads the facts of leads as they were known before a time, a time for each lead.

Own fields: the changes since are reverted. Found values: where nothing about the lead, or its company, has changed
since, the choices are those of today. Otherwise values are chosen again from the answers that there were, without what
was retracted before. A link to a company that is younger than the time, or that a later merge or split may have moved,
gives no facts. So a fact may be missing, but none is from later.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from leadflood.domains.enrichment.models.catalogs import CATALOGS
from leadflood.domains.enrichment.models.choosing import FactCandidate, choose
from leadflood.domains.enrichment.models.fact_fields import FactField, SubjectKind
from leadflood.domains.enrichment.models.facts import MANUAL, Fact, Receipt
from leadflood.domains.enrichment.models.filling import FILLED_BY, FillPolicies
from leadflood.domains.enrichment.models.policies import Policy
from leadflood.domains.enrichment.models.retractions import competing
from leadflood.domains.enrichment.queries.effective import filling
from leadflood.domains.icps.models.catalog import FactPlace, ProfileCatalog, ProfileField, Shape
from leadflood.domains.icps.models.evaluate import Facts
from leadflood.domains.icps.models.profiles import FactValue
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.domains.leads.contracts.found_values import FoundValues
from leadflood.kernel.db.pool import Row
from leadflood.kernel.db.sql import COMMA, Sql, assemble, joined, sql, sql_file
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.text import InvalidValue

_OWN: Final = sql_file("leadflood.domains.icps.sql", "own_fields_before")

_CHOSEN: Final = sql_file("leadflood.domains.icps.sql", "choices_and_last_change")

# Whether values were ever retracted, or rejected.
_ANY: Final = sql("""
SELECT EXISTS (SELECT FROM retractions WHERE workspace_id = :workspace_id) AS retracted,
       EXISTS (SELECT FROM rejected_values WHERE workspace_id = :workspace_id) AS rejected
""")

_BEFORE: Final = sql_file("leadflood.domains.icps.sql", "values_before")

_POLICY: Final = Policy()
_CREATED: Final = "created_at"
_CUSTOM_KEY: Final = "custom_fields."
_AS_TEXT: Final = sql("(l.{column})::text")
_CUSTOM, _NO_CUSTOM = sql("l.custom_fields"), sql("NULL::jsonb")

Known: TypeAlias = Mapping[str, tuple[Sequence[tuple[Any, float]], float | None]]
"""Values of a subject with their confidence, surest first, and when the newest was observed, by field."""

CompanyChoices: TypeAlias = dict[UUID, tuple[Known, datetime | None]]
"""The values of companies today, and when something about them has changed last."""
_REMEMBERED: Final = 20_000
"""Companies of which they are kept."""


@dataclass(frozen=True, slots=True)
class FactsWanted:
    """A lead, and the time before which its facts count."""

    lead_id: UUID
    at: datetime


async def facts_before(
    tx: Transaction,
    workspace_id: UUID,
    *,
    wanted: Sequence[FactsWanted],
    catalog: ProfileCatalog,
    keys: Iterable[str],
    policies: FillPolicies,
    companies: CompanyChoices,
) -> list[Facts | None]:
    """The facts of each lead before its time, in the same order; None for a lead that did not exist.

    `keys`: of the facts that are read. `policies`: which found values fill empty fields. `companies`: keeps
    what was read of companies, for further calls with the same keys.
    """
    fields = [catalog[key] for key in dict.fromkeys(keys) if key in catalog]
    values = {
        "workspace_id": workspace_id,
        "places": list(range(len(wanted))),
        "lead_ids": [each.lead_id for each in wanted],
        "times": [each.at for each in wanted],
    }
    columns = [field.name for field in fields if field.place is FactPlace.COLUMN and field.name != _CREATED]
    rows = {row.place: row for row in await tx.all(_own(columns, fields), values)}
    names = sorted(_found_names(fields))
    subjects = [(place, wanted[place].lead_id, wanted[place].at) for place in rows]
    subjects += [(place, row.company_id, wanted[place].at) for place, row in rows.items() if row.company_id]
    lead_ids = {each.lead_id for each in wanted}
    found = await _found(tx, workspace_id, subjects, lead_ids, names, companies) if names else {}
    return [
        _facts(rows[place], each, fields, columns, found, policies) if place in rows else None
        for place, each in enumerate(wanted)
    ]


def _own(columns: Sequence[str], fields: Sequence[ProfileField]) -> Sql:
    """The statement that reads these columns, and custom fields if there are any among the fields."""
    reads_custom = any(field.place is FactPlace.CUSTOM for field in fields)
    texts = [assemble(_AS_TEXT, column=LEAD_FIELDS[name].column) for name in columns]
    return assemble(_OWN, columns=joined(COMMA, texts), custom=_CUSTOM if reads_custom else _NO_CUSTOM)


def _found_names(fields: Sequence[ProfileField]) -> set[str]:
    """Names of the found fields that are read, those that fill empty fields included."""
    names = {field.name for field in fields if field.place in (FactPlace.LEAD, FactPlace.COMPANY)}
    for field in fields:
        if field.place is FactPlace.COLUMN:
            names |= {each.name for each in FILLED_BY.get(field.name, ())}
    return names


async def _found(
    tx: Transaction,
    workspace_id: UUID,
    subjects: Sequence[tuple[int, UUID, datetime]],
    lead_ids: Collection[UUID],
    names: Sequence[str],
    companies: CompanyChoices,
) -> dict[tuple[int, UUID], Known]:
    missing = list({subject_id for _, subject_id, _ in subjects if subject_id not in companies})
    recorded = await tx.first(_ANY, {"workspace_id": workspace_id})
    values = {
        "workspace_id": workspace_id,
        "subject_ids": missing,
        "are_leads": [subject_id in lead_ids for subject_id in missing],
        "fields": list(names),
        "any_retracted": recorded is not None and recorded.retracted,
        "any_rejected": recorded is not None and recorded.rejected,
    }
    chosen = {row.subject_id: (_known(row), row.changed_at) for row in await tx.all(_CHOSEN, values)}
    found: dict[tuple[int, UUID], Known] = {}
    changed: list[tuple[int, UUID, datetime]] = []
    for place, subject_id, at in subjects:
        known, last = companies.get(subject_id) or chosen[subject_id]
        if last is None or last < at:
            found[place, subject_id] = known
        else:
            changed.append((place, subject_id, at))
    if changed:
        found |= await _chosen_before(tx, workspace_id, changed, names)
    if len(companies) < _REMEMBERED:
        companies |= {subject_id: item for subject_id, item in chosen.items() if subject_id not in lead_ids}
    return found


def _known(row: Row) -> Known:
    return {
        field: ([(value, confidence) for value, confidence in items], row.observed[field])
        for field, items in (row.facts or {}).items()
    }


async def _chosen_before(
    tx: Transaction, workspace_id: UUID, changed: Sequence[tuple[int, UUID, datetime]], names: Sequence[str]
) -> dict[tuple[int, UUID], Known]:
    """The choices that a time before would have made, of what had been found by then."""
    found: dict[tuple[int, UUID], Known] = {}
    values = {
        "workspace_id": workspace_id,
        "places": list(range(len(changed))),
        "subject_ids": [subject_id for _, subject_id, _ in changed],
        "times": [at for _, _, at in changed],
        "fields": list(names),
    }
    rows: dict[int, list[Row]] = {}
    for row in await tx.all(_BEFORE, values):
        rows.setdefault(row.place, []).append(row)
    for number, (place, subject_id, at) in enumerate(changed):
        found[place, subject_id] = _choose(rows.get(number, []), at)
    return found


@dataclass(frozen=True, slots=True)
class _Hit:
    """A value of an answer. `retraction_id`: of any kind, as its being there is all that counts."""

    source: str
    lookup_id: UUID
    field: str
    retraction_id: UUID | None
    fact: Fact
    is_pinned: bool


def _choose(rows: Sequence[Row], at: datetime) -> Known:
    hits = [hit for row in rows if (hit := _hit(row)) is not None]
    by_field: dict[FactField, list[_Hit]] = {}
    for hit in competing(hits):
        by_field.setdefault(hit.fact.field, []).append(hit)
    found: dict[str, tuple[Sequence[tuple[Any, float]], float | None]] = {}
    for field, several in by_field.items():
        pinned = {hit.fact.key for hit in several if hit.is_pinned or hit.source == MANUAL}
        candidates = [FactCandidate(hit.fact, hit.source, hit.source) for hit in several]
        chosen = choose(candidates, now=at, policy=_POLICY, pinned=pinned)
        if chosen:
            seconds = max(each.best.fact.receipt.observed_at.timestamp() for each in chosen)
            found[field.name] = ([(each.best.fact.value, each.confidence) for each in chosen], seconds)
    return found


def _hit(row: Row) -> _Hit | None:
    """A stored value; None if this release cannot read it, or it had been rejected."""
    catalog = CATALOGS[SubjectKind.LEAD if row.is_lead else SubjectKind.COMPANY]
    if row.field not in catalog:
        return None
    receipt = Receipt(row.method, row.evidence, row.observed_at)
    try:
        fact = Fact.of(catalog[row.field], row.value, row.confidence, receipt)
    except InvalidValue:
        return None
    if fact.key in row.rejected:
        return None
    retracted = row.lookup_id if row.was_retracted else None
    return _Hit(row.source, row.lookup_id, row.field, retracted, fact, row.was_pinned)


def _facts(
    row: Row,
    wanted: FactsWanted,
    fields: Sequence[ProfileField],
    columns: Sequence[str],
    found: Mapping[tuple[int, UUID], Known],
    policies: FillPolicies,
) -> Facts:
    own = dict(zip(columns, row.own, strict=True))
    own |= {f"{_CUSTOM_KEY}{name}": value for name, value in (row.custom or {}).items()}
    own |= row.old or {}
    about = {
        FactPlace.LEAD: found.get((row.place, wanted.lead_id), {}),
        FactPlace.COMPANY: found.get((row.place, row.company_id), {}) if row.company_id else {},
    }
    if any(own[name] is None and name in FILLED_BY for name in columns):
        filled = _filled(about, policies, named=row.named)
        own |= {name: filled.get(name) for name in columns if own[name] is None}
    own[_CREATED] = row.created_at.astimezone(UTC).date().isoformat()
    values: dict[str, FactValue] = {}
    observed: dict[str, datetime] = {}
    for field in fields:
        if field.place in about:
            items, seconds = about[field.place].get(field.name, ((), None))
            several = [item for item, _ in items]
            value = several if field.shape is Shape.SET else next(iter(several), None)
            if seconds is not None:
                observed[field.key] = datetime.fromtimestamp(float(seconds), UTC)
        else:
            value = own.get(field.name if field.place is FactPlace.COLUMN else f"{_CUSTOM_KEY}{field.name}")
        if isinstance(value, list):
            value = frozenset(map(str, value)) or None
        if isinstance(value, str | bool | int | float | frozenset):
            values[field.key] = value
    return Facts(values, observed)


def _filled(about: Mapping[FactPlace, Known], policies: FillPolicies, *, named: bool) -> FoundValues:
    """Found values that fill empty fields of a lead."""
    known = {}
    for place, kind in ((FactPlace.COMPANY, SubjectKind.COMPANY), (FactPlace.LEAD, SubjectKind.LEAD)):
        catalog = CATALOGS[kind]
        for name, (items, _) in about[place].items():
            if name in catalog and items:
                known[catalog[name]] = items[0]
    return filling(known, policies, named=named)
