"""A profile as SQL: scores of many leads in one statement, as `leadflood.domains.icps.models.evaluate` gives them.

NULL is unknown, and AND, OR and NOT of PostgreSQL are Kleene's. All expressions are in the select list, and all that
varies is a bound value: fields are columns of a catalog, or keys that are parameters.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any, Final

from leadflood.domains.icps.models.catalog import FactPlace, ProfileCatalog, ProfileField, Shape
from leadflood.domains.icps.models.evaluate import since_day
from leadflood.domains.icps.models.profiles import (
    Criterion,
    CriterionGroup,
    FactOperator,
    FactTest,
    FitGate,
    FitProfile,
    Test,
)
from leadflood.domains.leads.catalog import LEAD_FIELDS
from leadflood.kernel.db.sql import COMMA, Sql, assemble, joined, numbered, sql
from leadflood.kernel.text import search_key

# The leads of a part of a statement, with what was found about them and about their companies.
LEADS: Final = sql("""
(SELECT * FROM leads WHERE workspace_id = :workspace_id AND {which}) leads
LEFT JOIN LATERAL (
    SELECT facts AS lead_facts, observed AS lead_observed FROM icp_facts
    WHERE workspace_id = :workspace_id AND subject_id = leads.id LIMIT 1
) of_lead ON true
LEFT JOIN LATERAL (
    SELECT f.facts AS company_facts, f.observed AS company_observed
    FROM (SELECT company_id FROM company_leads WHERE workspace_id = :workspace_id AND lead_id = leads.id LIMIT 1) m
    CROSS JOIN LATERAL (
        SELECT FROM companies
        WHERE workspace_id = :workspace_id AND id = m.company_id AND deleted_at IS NULL AND merged_into IS NULL LIMIT 1
    ) active
    CROSS JOIN LATERAL (
        SELECT facts, observed FROM icp_facts
        WHERE workspace_id = :workspace_id AND subject_id = m.company_id LIMIT 1
    ) f
) of_company ON true
""")
THESE: Final = sql("id = ANY (:lead_ids::uuid[])")
"""Leads by ID."""

# OFFSET 0: each test is evaluated once, not for each of its uses.
_SCORED = sql("""
SELECT id, score, lo, hi, known,
       {tier} AS tier, {worst} AS worst, {best} AS best, {excluded} AS excluded_by
FROM (
    SELECT id, now, sure, gates, sure_gates, {score} AS score, {lo} AS lo, {hi} AS hi, {known} AS known
    FROM (
        SELECT leads.id, ARRAY[{now}]::boolean[] AS now, ARRAY[{sure}]::boolean[] AS sure,
               ARRAY[{gates}]::boolean[] AS gates, ARRAY[{sure_gates}]::boolean[] AS sure_gates
        FROM {leads}
        OFFSET 0
    ) tested
    OFFSET 0
) summed
""")

# The facts of leads, in the order of the fields.
_READ = sql("SELECT leads.id, ARRAY[{values}]::jsonb[] AS found, ARRAY[{observed}]::jsonb[] AS observed FROM {leads}")

_DOCUMENTS: Final = {
    FactPlace.CUSTOM: sql("custom_fields"),
    FactPlace.LEAD: sql("lead_facts"),
    FactPlace.COMPANY: sql("company_facts"),
}
_OBSERVED: Final = {FactPlace.LEAD: sql("lead_observed"), FactPlace.COMPANY: sql("company_observed")}
_CREATED: Final = sql("to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
_AS_TEXT: Final = sql("({column})::text")
_ITEM: Final = sql("{document} -> :value::text")
_TYPED: Final = {
    Shape.TEXT: sql("CASE WHEN jsonb_typeof({item}) = 'string' THEN {item} #>> '{}' END"),
    Shape.CODE: sql("CASE WHEN jsonb_typeof({item}) = 'string' THEN {item} #>> '{}' END"),
    Shape.NUMBER: sql("CASE WHEN jsonb_typeof({item}) = 'number' THEN ({item})::float8 END"),
    Shape.BOOLEAN: sql("CASE WHEN jsonb_typeof({item}) = 'boolean' THEN ({item})::boolean END"),
    Shape.DATE: sql("""
CASE WHEN jsonb_typeof({item}) = 'string' AND {item} #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}'
     THEN left({item} #>> '{}', 10) END"""),
    Shape.SET: sql("CASE WHEN jsonb_typeof({item}) = 'array' AND {item} <> '[]' THEN {item} END"),
}
_KEYS: Final = sql("(SELECT array_agg(search_key(e)) FROM jsonb_array_elements_text({value}) e)")
_FRESH: Final = sql("CASE WHEN coalesce(({observed} ->> :value::text)::float8 >= {cutoff}, true) THEN {value} END")
_NUMBER: Final = sql(":value::float8")
_INTEGER: Final = sql(":value::integer")
_TEXTS: Final = sql(":value::text[]")
_TRUE, _UNKNOWN, _NONE = sql("true"), sql("NULL::boolean"), sql("NULL::text")
_SQL_OF: Final = {
    (FactOperator.IS, Shape.NUMBER): sql("{value} = :value::float8"),
    (FactOperator.IS, Shape.BOOLEAN): sql("{value} = :value::boolean"),
    (FactOperator.IN, Shape.TEXT): sql("search_key({value}) = ANY (:value::text[])"),
    (FactOperator.IN, Shape.CODE): sql("{value} = ANY (:value::text[])"),
    (FactOperator.BETWEEN, Shape.NUMBER): sql("{value} BETWEEN (:value::float8[])[1] AND (:value::float8[])[2]"),
    (FactOperator.AT_LEAST, Shape.NUMBER): sql("{value} >= :value::float8"),
    (FactOperator.AT_MOST, Shape.NUMBER): sql("{value} <= :value::float8"),
    (FactOperator.ANY_OF, Shape.SET): sql("{value} && :value::text[]"),
    (FactOperator.ALL_OF, Shape.SET): sql("{value} @> :value::text[]"),
    (FactOperator.WITHIN_DAYS, Shape.DATE): sql(
        'left({value}, 10) COLLATE "C" BETWEEN (:value::text[])[1] AND (:value::text[])[2]'
    ),
}
_KNOWN_NOW: Final = sql("(({value}) IS NOT NULL) = :value::boolean")
_KNOWN_SURE: Final = sql("CASE WHEN ({value}) IS NOT NULL THEN :value::boolean END")
_JOINTS: Final = {"all": sql(" AND "), "any": sql(" OR "), "none": sql(" OR ")}
_INSIDE, _NOT = sql("({inside})"), sql("NOT ({inside})")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement around `{which}` leads, with its values; `workspace_id` and those of the condition are missing."""

    statement: Sql
    values: dict[str, Any]


@dataclass(slots=True)
class _Binder:
    """Numbers parameters and keeps their values."""

    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, template: Sql, given: object, /, **parts: Sql) -> Sql:
        """A template with its parts, and with its parameter `value` as one of its own."""
        number = len(self.values)
        self.values[f"value_{number}"] = given
        return assemble(numbered(template, number), **parts)


def scores(profile: FitProfile, catalog: ProfileCatalog, now: datetime, which: Sql) -> Compiled:
    """Select ID, score, lo, hi, known, tier, worst, best and excluded_by of leads."""
    binder = _Binder()
    criteria, gates = list(profile.criteria), list(profile.gates)
    tests = _Tests(profile, catalog, now, binder)
    statement = assemble(
        _SCORED,
        leads=assemble(LEADS, which=which),
        now=_list(tests.of(each.test, sure=False) for each in criteria),
        sure=_list(tests.of(each.test, sure=True) for each in criteria),
        gates=_list([tests.of(each.test, sure=False) for each in gates] or [_UNKNOWN]),
        sure_gates=_list([tests.of(each.test, sure=True) for each in gates] or [_UNKNOWN]),
        **_sums(profile, criteria, binder),
        **_tiers(profile, gates, binder),
    )
    return Compiled(statement, binder.values)


def facts(fields: Sequence[ProfileField], which: Sql) -> Compiled:
    """Select ID, `found` and `observed` (seconds since 1970) of leads, both in the order of the fields."""
    binder = _Binder()
    as_json, seconds, none = sql("to_jsonb({value})"), sql("{observed} -> :value::text"), sql("NULL::jsonb")
    statement = assemble(
        _READ,
        leads=assemble(LEADS, which=which),
        values=_list(assemble(as_json, value=_value(each, binder)) for each in fields),
        observed=_list(
            binder.bind(seconds, each.name, observed=_OBSERVED[each.place]) if each.place in _OBSERVED else none
            for each in fields
        ),
    )
    return Compiled(statement, binder.values)


def _list(parts: Iterable[Sql]) -> Sql:
    return joined(COMMA, list(parts))


def _value(each: ProfileField, binder: _Binder) -> Sql:
    if each.place is FactPlace.COLUMN:
        if each.name == "created_at":
            return _CREATED
        return assemble(_AS_TEXT, column=LEAD_FIELDS[each.name].effective)
    item = binder.bind(_ITEM, each.name, document=_DOCUMENTS[each.place])
    return assemble(_TYPED[each.shape], item=assemble(_INSIDE, inside=item))


@dataclass(frozen=True, slots=True)
class _Tests:
    profile: FitProfile
    catalog: ProfileCatalog
    now: datetime
    binder: _Binder

    def of(self, test: Test, *, sure: bool) -> Sql:
        """A boolean expression. `sure`: unknown if a look-up can change it."""
        if isinstance(test, FactTest):
            return self._compared(test, sure=sure)
        inside = joined(
            _JOINTS[test.match], [assemble(_INSIDE, inside=self.of(part, sure=sure)) for part in test.parts]
        )
        return assemble(_NOT if test.match == "none" else _INSIDE, inside=inside)

    def _compared(self, test: FactTest, *, sure: bool) -> Sql:
        if test.field not in self.catalog:
            if test.operator is FactOperator.KNOWN and not sure:
                return self.binder.bind(_KNOWN_NOW, test.value, value=_NONE)
            return _UNKNOWN
        each = self.catalog[test.field]
        value = self._current(each)
        if test.operator is FactOperator.KNOWN:
            return self.binder.bind(_KNOWN_SURE if sure else _KNOWN_NOW, test.value, value=value)
        if each.shape is Shape.SET:
            value = assemble(_KEYS, value=value)
        is_text = each.shape in (Shape.TEXT, Shape.CODE)
        operator = FactOperator.IN if test.operator is FactOperator.IS and is_text else test.operator
        template = _SQL_OF.get((operator, each.shape))
        return _UNKNOWN if template is None else self.binder.bind(template, self._wanted(test, each), value=value)

    def _current(self, each: ProfileField) -> Sql:
        value = _value(each, self.binder)
        if not self.profile.stale_is_unknown or each.time_to_live is None or each.place not in _OBSERVED:
            return value
        cutoff = self.binder.bind(_NUMBER, (self.now - each.time_to_live).timestamp())
        return self.binder.bind(_FRESH, each.name, observed=_OBSERVED[each.place], cutoff=cutoff, value=value)

    def _wanted(self, test: FactTest, each: ProfileField) -> object:
        if test.operator is FactOperator.WITHIN_DAYS:
            return list(since_day(float(test.value), self.now)) if isinstance(test.value, int | float) else []
        wanted = test.value
        if each.shape in (Shape.TEXT, Shape.CODE, Shape.SET):
            texts = wanted if isinstance(wanted, tuple) else (wanted,)
            return [str(text) if each.shape is Shape.CODE else search_key(str(text)) for text in texts]
        if isinstance(wanted, tuple):
            return [float(number) for number in wanted]
        return wanted if isinstance(wanted, bool) else float(wanted)


_POINTS: Final = sql("CASE WHEN {test} THEN {points} WHEN NOT {test} THEN {otherwise} ELSE {unknown} END")
_NOW, _SURE = sql("now[:value::integer]"), sql("sure[:value::integer]")
_CAPPED: Final = sql("least({cap}, greatest(-{cap}, {sum}))")
_PLUS: Final = sql(" + ")
_IS_KNOWN: Final = sql("({test} IS NOT NULL)::integer")


def _sums(profile: FitProfile, criteria: Sequence[Criterion], binder: _Binder) -> dict[str, Sql]:
    places = {each.id: place for place, each in enumerate(criteria, start=1)}

    def total(test: Sql, unknown: Callable[[Criterion], int]) -> Sql:
        return joined(_PLUS, [_group(group, places, binder, test, unknown) for group in profile.groups])

    return {
        "score": total(_NOW, lambda each: each.assumed),
        "lo": total(_SURE, lambda each: each.least),
        "hi": total(_SURE, lambda each: each.most),
        "known": joined(_PLUS, [assemble(_IS_KNOWN, test=binder.bind(_SURE, places[each.id])) for each in criteria]),
    }


def _group(
    group: CriterionGroup, places: dict[str, int], binder: _Binder, test: Sql, unknown: Callable[[Criterion], int]
) -> Sql:
    points = [
        assemble(
            _POINTS,
            test=binder.bind(test, places[each.id]),
            points=binder.bind(_INTEGER, each.points),
            otherwise=binder.bind(_INTEGER, each.otherwise),
            unknown=binder.bind(_INTEGER, unknown(each)),
        )
        for each in group.criteria
    ]
    added = assemble(_INSIDE, inside=joined(_PLUS, points))
    if group.cap is None:
        return added
    return assemble(_CAPPED, cap=binder.bind(_INTEGER, group.cap), sum=added)


_FROM: Final = sql("CASE WHEN {score} >= {border} THEN {place} ELSE {next} END")
_SCORE, _LO, _HI = sql("score"), sql("lo"), sql("hi")
_GATE, _SURE_GATE = sql("gates[:value::integer] IS TRUE"), sql("sure_gates[:value::integer] IS TRUE")
_MAYBE_GATE: Final = sql("sure_gates[:value::integer] IS NOT FALSE")
_EXCLUDED: Final = sql("CASE WHEN {gate} THEN {result} ELSE {next} END")
_LIMITED: Final = sql("greatest({next}, CASE WHEN {gate} THEN {place} ELSE 0 END)")
_NAME: Final = sql("({names})[1 + {place}]")
_TEXT: Final = sql(":value::text")


def _tiers(profile: FitProfile, gates: Sequence[FitGate], binder: _Binder) -> dict[str, Sql]:
    numbered_gates = list(enumerate(gates, start=1))
    excluding = [(place, gate) for place, gate in numbered_gates if gate.tier is None]

    def tier(score: Sql, met: Sql) -> Sql:
        place = _place(profile, score, binder)
        for number, gate in numbered_gates:
            if gate.tier is not None:
                limit = binder.bind(_INTEGER, profile.place_of(gate.tier))
                place = assemble(_LIMITED, next=place, gate=binder.bind(met, number), place=limit)
        names = binder.bind(_TEXTS, [each.name for each in profile.tiers])
        named = assemble(_NAME, names=names, place=place)
        for number, _ in reversed(excluding):
            named = assemble(_EXCLUDED, gate=binder.bind(met, number), result=_NONE, next=named)
        return named

    excluded = _NONE
    for number, gate in reversed(excluding):
        result = binder.bind(_TEXT, gate.id)
        excluded = assemble(_EXCLUDED, gate=binder.bind(_GATE, number), result=result, next=excluded)
    return {
        "tier": tier(_SCORE, _GATE),
        "worst": tier(_LO, _MAYBE_GATE),
        "best": tier(_HI, _SURE_GATE),
        "excluded": excluded,
    }


def _place(profile: FitProfile, score: Sql, binder: _Binder) -> Sql:
    last = binder.bind(_INTEGER, len(profile.tiers) - 1)

    def before(following: Sql, place: int) -> Sql:
        border = binder.bind(_INTEGER, profile.tiers[place].at_least)
        return assemble(_FROM, score=score, border=border, place=binder.bind(_INTEGER, place), next=following)

    return reduce(before, range(len(profile.tiers) - 2, -1, -1), last)
