"""Filters on custom fields, whose values are of any type, and on the import that wrote a lead."""

from typing import Any

import pytest

import leadflood.bootstrap
from leadflood.domains.leads.contracts.filters import LeadFilter, LeadQuery
from leadflood.domains.leads.queries.search import count_leads
from leadflood.kernel.db.sql import sql
from leadflood.kernel.ids import new_id
from tests.integration.leads.desk import Desk

assert leadflood.bootstrap.DOMAINS  # which adds the fields of other domains

PEOPLE: dict[str, dict[str, Any]] = {
    "ada": {"plan": "Pro", "seats": 5, "since": "2026-02-01", "vip": True, "topic": "Maths"},
    "grace": {"plan": "free", "seats": 40.5, "since": "2026-03-01", "vip": False},
    "joan": {"plan": 7},
    "none": {},
}

_IMPORT = sql("""
INSERT INTO imports (workspace_id, id, filename, actor_kind, changeset_id)
VALUES (:workspace_id, :id, 'leads.csv', 'cli', :changeset_id)
""")
_CHANGESET = sql("""
INSERT INTO lead_changesets (workspace_id, id, kind, label, actor_kind)
VALUES (:workspace_id, :id, 'import', 'leads.csv', 'cli')
""")
_CHANGE = sql("""
INSERT INTO lead_changes (workspace_id, changeset_id, lead_id, change, after)
VALUES (:workspace_id, :changeset_id, :lead_id, 'created', '{}')
""")


async def names(desk: Desk, condition: dict[str, Any]) -> set[str]:
    """Leads that match: in the list, counted, and by the search."""
    tree = {"all": [condition]}
    searching = {"all": [{"any": [condition, {"field": "website", "operator": "is", "value": "nowhere"}]}]}
    found = []
    for given in (tree, searching):
        filters = LeadQuery.model_validate(given).lead_filter()
        page = await desk.page(filters)
        async with desk.database.transaction(desk.actor.workspace_id, read_only=True) as tx:
            assert (await count_leads(tx, desk.actor, filters=filters)).value == len(page.items)
        found.append({lead.email.partition("@")[0] for lead in page.items})
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("key", "operator", "value", "found"),
    [
        ("plan", "is", "Pro", {"ada"}),
        ("plan", "is", 7, {"joan"}),
        ("plan", "isNot", "Pro", {"grace", "joan", "none"}),
        ("plan", "isAnyOf", ["Pro", "free"], {"ada", "grace"}),
        ("plan", "contains", "PR", {"ada"}),
        ("plan", "startsWith", "fr", {"grace"}),
        ("plan", "isEmpty", None, {"none"}),
        ("plan", "isNotEmpty", None, {"ada", "grace", "joan"}),
        ("seats", "greaterThan", 5, {"grace"}),
        ("seats", "lessThan", 40.6, {"ada", "grace"}),
        ("seats", "between", [5, 40], {"ada"}),
        ("since", "onOrAfter", "2026-02-02", {"grace"}),
        ("since", "before", "2026-03-01", {"ada"}),
        ("since", "between", ["2026-02-01", "2026-03-01"], {"ada", "grace"}),
        ("since", "inLastDays", 3650, {"ada", "grace"}),
        ("vip", "is", True, {"ada"}),
        ("topic", "contains", "math", {"ada"}),
        ("topic", "isEmpty", None, {"grace", "joan", "none"}),
        ("unknown", "is", "x", set()),
    ],
)
async def test_a_custom_field_is_compared_by_the_type_of_the_value(
    desk: Desk, key: str, operator: str, value: object, found: set[str]
) -> None:
    for name, fields in PEOPLE.items():
        await desk.create(f"{name}@acme.test", customFields=fields)
    condition = {"field": f"customFields.{key}", "operator": operator} | ({} if value is None else {"value": value})

    assert await names(desk, condition) == found


async def test_leads_are_found_by_the_import_that_wrote_them(desk: Desk) -> None:
    first, second = [(await desk.create(f"{name}@acme.test")).lead_id for name in ("ada", "grace")]
    keys = {"workspace_id": desk.actor.workspace_id, "id": new_id(), "changeset_id": new_id()}
    async with desk.database.transaction(desk.actor.workspace_id) as tx:
        await tx.execute(_CHANGESET, {**keys, "id": keys["changeset_id"]})
        await tx.execute(_IMPORT, keys)
        await tx.execute(_CHANGE, {**keys, "lead_id": first})
    field = {"field": "import", "operator": "is", "value": str(keys["id"])}

    assert await names(desk, field) == {"ada"}
    assert await names(desk, {**field, "operator": "isNot"}) == {"grace"}
    assert await names(desk, {**field, "value": str(second)}) == set()
    assert {lead.email for lead in (await desk.page(LeadFilter())).items} == {"ada@acme.test", "grace@acme.test"}
