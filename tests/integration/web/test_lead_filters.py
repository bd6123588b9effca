"""A filter means the same leads wherever it is used: in a view of the API, on its page, in bulk, in an export."""

import csv
import io
import json
from typing import Any
from uuid import UUID

import pytest

from leadflood.domains.leads.contracts.filters import LeadQuery
from leadflood.domains.leads.contracts.views import CreateView
from leadflood.domains.leads.filters import LEAD_FILTERS
from leadflood.domains.leads.queries import list_leads
from leadflood.domains.leads.queries.views import list_views
from leadflood.domains.leads.service import views
from leadflood.kernel.actor import Actor, ActorKind, Permission, Role
from leadflood.kernel.filters import Kind, Operator, written
from leadflood.web.pages.lead_list_params import LeadListParams
from tests.integration.web.conftest import House
from tests.support.web import Browser

VALUES: dict[str, str] = {
    "search": "ada acme",
    "email": "ada@acme.com",
    "firstName": "ada",
    "lastName": "Lovelace",
    "company": "Acme",
    "jobTitle": "CTO",
    "phone": "+44 20 7946 0958",
    "website": "https://acme.com",
    "country": "GB",
    "source": "fair",
    "status": "new",
    "customFields.employer": "Acme",
    "engagement": "3",
}
WITHOUT = {Operator.IS_EMPTY, Operator.IS_NOT_EMPTY}
EACH = [
    *(
        (field.name, operator)
        for field in (*LEAD_FILTERS, LEAD_FILTERS.get("customFields.employer"))
        if field.kind is not Kind.REFERENCE
        for operator in field.operators
    ),
]


def condition(name: str, operator: Operator, person: UUID) -> dict[str, Any]:
    """A condition that some of the leads meet."""
    kind = LEAD_FILTERS.get(name).kind
    value: Any = str(person) if kind is Kind.PERSON else VALUES.get(name, "2026-01-01T00:00:00+00:00")
    if kind is Kind.NUMBER:
        value = [0, 100] if operator is Operator.BETWEEN else 50
    elif operator is Operator.IN_LAST_DAYS:
        value = 3
    elif kind is Kind.CUSTOM and operator in {Operator.GREATER_THAN, Operator.LESS_THAN}:
        value = 4
    elif kind is Kind.CUSTOM and operator in {Operator.BEFORE, Operator.ON_OR_AFTER}:
        value = "2026-01-01"
    elif kind is Kind.CUSTOM and operator is Operator.BETWEEN:
        value = [1, 10]
    elif operator is Operator.BETWEEN:
        value = [value, "2100-01-01T00:00:00+00:00"]
    elif operator is Operator.IS_ANY_OF:
        value = [value]
    return {"field": name, "operator": operator.value} | ({} if operator in WITHOUT else {"value": value})


@pytest.fixture
async def person(house: House) -> UUID:
    """A member, and leads of which every condition means some."""
    user_id, _ = await house.member(Role.MEMBER)
    full = {"firstName": "Ada", "lastName": "Lovelace", "company": "ACME", "jobTitle": "CTO", "country": "GB"}
    rest = {"phone": "+442079460958", "website": "acme.com", "source": "fair", "ownerId": str(user_id)}
    await house.lead("ada@acme.com", **full, **rest)
    await house.lead("adam@acme.com", firstName="Adam", company="Acme Labs", source="web-form")
    await house.lead("grace@navy.example", lastName="Hopper", customFields={"employer": "Acme"})
    await house.lead("alan@acme.com", customFields={"employer": 5, "since": "2026-02-01"})
    return user_id


async def test_a_view_made_over_the_api_shows_changes_and_exports_what_its_filter_says(
    house: House, person: UUID
) -> None:
    owner = await house.enter(person, Role.OWNER)
    actor = Actor(ActorKind.USER, house.workspace_id, frozenset(Permission), user_id=person)
    sizes = set()
    for name, operator in EACH:
        given = {"all": [condition(name, operator, person), {"field": "email", "operator": "contains", "value": "a"}]}
        async with house.parts.database.transaction(house.workspace_id) as tx:
            command = CreateView.model_validate({"name": f"{name} {operator}", "filter": given, "columns": ["email"]})
            view = await views.create_view(tx, actor, command=command)
            meant = await list_leads(tx, actor, filters=LeadQuery.model_validate(given).lead_filter(), limit=200)
            await views.delete_view(tx, actor, view_id=view.id, expected_version=1)
        expected = sorted(lead.email for lead in meant.items)

        page = await owner.get(LeadListParams.of_view(view).url())
        shown = sorted(page.all("#leads-list td[data-label$=mail]"))
        assert shown == expected, given
        sizes.add(len(expected))
        if not expected:
            continue
        query = page.attribute("#bulk [name=matching]", "value") or ""
        asked = await owner.post(
            "/leads/bulk-changes",
            {"all": "on", "matching": query, "expected": str(len(expected)), "action": "delete"},
        )
        assert asked.attribute("main [name=expected]", "value") == str(len(expected)), given
        file = await owner.post("/leads/export", {"matching": query, "format": "csv", "columns": "shown"})
        rows = csv.DictReader(io.StringIO(file.response.content.decode("utf-8-sig"), newline=""))
        assert sorted(row["Email"] for row in rows) == expected, given

    assert {1, 2, 3} <= sizes


async def test_a_relative_date_and_me_stay_relative_in_a_view(house: House, person: UUID) -> None:
    browser = await house.enter(person, Role.OWNER)
    tree = {"all": [{"field": "owner", "operator": "is", "value": "me"}]}
    await browser.get("/leads")

    saved = await browser.post("/leads/views", {"name": "Mine", "query": f"days=7&filter={json.dumps(tree)}"})

    assert saved.all("#leads-list .row-link") == ["Ada Lovelace"]
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        (view,) = await list_views(tx, Actor(ActorKind.USER, house.workspace_id, frozenset(Permission), user_id=person))
    assert written(view.filter.lead_filter().whole)["all"] == [
        {"field": "createdAt", "operator": "inLastDays", "value": 7},
        {"field": "owner", "operator": "is", "value": "me"},
    ]


async def test_a_filter_that_cannot_be_read_shows_no_list(owner: Browser) -> None:
    seen = await owner.get('/leads?filter={"all":[{"field":"shoe","operator":"is","value":1}]}')

    assert seen.status == 400


async def test_groups_are_shown_as_chips_and_taken_away(owner: Browser, house: House, person: UUID) -> None:
    either = {"any": [condition("company", Operator.IS, person), condition("lastName", Operator.CONTAINS, person)]}
    tree = {"all": [either, condition("phone", Operator.STARTS_WITH, person)]}

    seen = await owner.get(f"/leads?filter={json.dumps(tree)}")
    removal = [node.attributes["href"] or "" for node in seen.html.css(".chip__remove")]
    left = await owner.get(removal[1])

    assert seen.all(".chip__key") == ["Group", "Phone"]
    assert "(Company is Acme or Last name contains Lovelace)" in seen.text
    assert left.all(".chip__key") == ["Group"]
