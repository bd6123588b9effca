"""The undo of a decision or retraction asks what its subject asks."""

from collections.abc import Collection
from uuid import UUID

import pytest

from leadflood.domains.companies.permissions import COMPANIES_WRITE
from leadflood.domains.enrichment.models.decisions import Decision
from leadflood.domains.leads.permissions import LEADS_READ, LEADS_WRITE
from leadflood.kernel.actor import Permission, Role
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.test_decisions import SENIORITY, Desk, known
from tests.integration.enrichment.test_retractions import Desk as Retractions
from tests.integration.web.conftest import House, house, new_house, owner, pages_app, pages_parts, site_parts
from tests.support.tenants import bearer, new_key, new_member

__all__ = ["house", "new_house", "owner", "pages_app", "pages_parts", "site_parts"]

_LEADS = (LEADS_READ, LEADS_WRITE)


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(Bench(house.parts.database, house.actor))


async def undo(house: House, changeset_id: UUID | None, scopes: Collection[Permission]) -> tuple[int, str | None]:
    """Status of an undo over HTTP by a key with these scopes, and the permission that it lacks."""
    owner_id = await new_member(house.parts.database, house.workspace_id, Role.OWNER)
    headers = bearer((await new_key(house.parts.database, house.workspace_id, owner_id, scopes))[1])
    client = (await house.stranger()).client
    answer = await client.post(f"/v1/changesets/{changeset_id}/undos", headers=headers)
    return answer.status_code, answer.json().get("requiredPermission")


async def test_the_undo_of_a_decision_about_a_company_needs_the_permission_for_companies(
    house: House, desk: Desk
) -> None:
    company, company_id, _ = await known(desk)
    made = await desk.decide(company_id, "country", Decision.PINNED, "DE")

    assert await undo(house, made.changeset_id, _LEADS) == (403, COMPANIES_WRITE)
    assert await desk.of_company(company, "country") == ["DE"]
    assert await undo(house, made.changeset_id, (*_LEADS, COMPANIES_WRITE)) == (202, None)
    assert await desk.of_company(company, "country") == ["FR"]


async def test_the_undo_of_a_decision_about_a_lead_needs_only_that_for_leads(house: House, desk: Desk) -> None:
    ada = await desk.lead(f"a@{domain()}", value(SENIORITY, "junior", 0.9))
    made = await desk.decide_for_lead(ada, "seniority", Decision.CORRECTED, "head")

    assert await undo(house, made.changeset_id, (LEADS_READ, COMPANIES_WRITE)) == (403, LEADS_WRITE)
    assert await undo(house, made.changeset_id, _LEADS) == (202, None)
    assert await desk.bench.chosen(ada) == {"seniority": ("junior", "people")}


async def test_the_undo_of_a_retraction_needs_the_permission_for_companies_if_it_has_some(
    house: House, desk: Desk
) -> None:
    company, _, _ = await known(desk)
    await desk.lead(f"a@{domain()}", value(SENIORITY, "junior", 0.9))
    retracting = Retractions(desk.bench)
    of_companies = await retracting.retract("other")
    of_leads = await retracting.retract("people")

    assert await undo(house, of_companies.id, _LEADS) == (403, COMPANIES_WRITE)
    assert await undo(house, of_companies.id, (*_LEADS, COMPANIES_WRITE)) == (202, None)
    assert await undo(house, of_leads.id, _LEADS) == (202, None)
    assert await desk.of_company(company, "country") == ["FR"]
