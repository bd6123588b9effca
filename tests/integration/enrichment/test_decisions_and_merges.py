"""Decisions about found values move with a merge of leads or companies, and back with its undo."""

from uuid import UUID

import pytest

from leadflood.bootstrap import LEAD_PARTICIPANTS
from leadflood.domains.companies.contracts import MergeCompany
from leadflood.domains.companies.service.merges import merge_companies, undo_merge
from leadflood.domains.duplicates.contracts import MergeLeads
from leadflood.domains.duplicates.service import merging
from leadflood.domains.enrichment.models.decisions import Decision
from leadflood.kernel.db.sql import sql
from tests.integration.enrichment.bench import Bench, value
from tests.integration.enrichment.office import domain
from tests.integration.enrichment.test_decisions import FIRST, SENIORITY, Desk, known

REJECTED = sql("SELECT field, value FROM rejected_values WHERE lead_id = :lead_id")


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


async def test_decisions_move_with_a_merge_of_leads_and_back(desk: Desk) -> None:
    company = domain()
    ada = await desk.lead(f"a@{company}", value(SENIORITY, "junior", 0.9))
    other = await desk.lead(f"b@{company}")
    await desk.decide_for_lead(ada, "seniority", Decision.CORRECTED, "head")
    actor, database = desk.bench.actor, desk.bench.database
    async with database.transaction(actor.workspace_id) as tx:
        command = MergeLeads.model_validate({"survivorId": str(other), "otherId": str(ada)})
        merge = await merging.merge(tx, actor, LEAD_PARTICIPANTS, command=command)
    assert await desk.bench.chosen(other) == {"seniority": ("head", "manual")}
    pin = next(item.pin for item in (await desk.bench.enrichment(other)).values if item.chosen)
    assert pin is not None
    async with database.transaction(actor.workspace_id) as tx:
        await merging.undo_merge(tx, actor, LEAD_PARTICIPANTS, merge_id=merge.id, trace={})
    assert (await desk.bench.chosen(ada), await desk.bench.chosen(other)) == ({"seniority": ("head", "manual")}, {})


async def test_the_undo_of_a_merge_of_leads_ends_the_rejections_that_it_copied(desk: Desk) -> None:
    company = domain()
    ada = await desk.lead(f"a@{company}", value(SENIORITY, "junior", 0.9))
    grace = await desk.lead(f"b@{company}", value(SENIORITY, "junior", 0.9), value(FIRST, "Grace", 0.9))
    last = await desk.lead(f"c@{company}", value(SENIORITY, "junior", 0.9))
    await desk.decide_for_lead(ada, "seniority", Decision.REJECTED, "junior")
    await desk.decide_for_lead(grace, "first_name", Decision.REJECTED, "Grace")
    actor, database = desk.bench.actor, desk.bench.database
    merges = []
    for survivor, other in ((grace, ada), (last, grace)):
        async with database.transaction(actor.workspace_id) as tx:
            command = MergeLeads.model_validate({"survivorId": str(survivor), "otherId": str(other)})
            merges.append(await merging.merge(tx, actor, LEAD_PARTICIPANTS, command=command))
    assert await rejected(desk, last) == {("first_name", "Grace"), ("seniority", "junior")}
    async with database.transaction(actor.workspace_id) as tx:
        await merging.undo_merge(tx, actor, LEAD_PARTICIPANTS, merge_id=merges[0].id, trace={})
    assert (await rejected(desk, last), await rejected(desk, ada)) == (
        {("first_name", "Grace")},
        {("seniority", "junior")},
    )
    assert await desk.bench.chosen(last) == {"seniority": ("junior", "people")}
    async with database.transaction(actor.workspace_id) as tx:
        await merging.undo_merge(tx, actor, LEAD_PARTICIPANTS, merge_id=merges[1].id, trace={})
    assert (await rejected(desk, last), await rejected(desk, grace)) == (set(), {("first_name", "Grace")})
    await desk.sound()


async def test_the_undo_of_a_merge_of_companies_ends_the_rejections_that_it_copied(desk: Desk) -> None:
    one, first_id, _ = await known(desk)
    desk.name = "register"
    _, second_id, _ = await known(desk)
    await desk.decide(first_id, "country", Decision.REJECTED, "DE")
    await desk.decide(second_id, "country", Decision.REJECTED, "DE")
    await desk.decide(second_id, "country", Decision.REJECTED, "FR")
    actor, database = desk.bench.actor, desk.bench.database
    async with database.transaction(actor.workspace_id) as tx:
        merge = await merge_companies(
            tx, actor, company_id=first_id, command=MergeCompany.model_validate({"otherId": str(second_id)})
        )
    assert await desk.of_company(one, "country") == []
    async with database.transaction(actor.workspace_id) as tx:
        await undo_merge(tx, actor, merge_id=merge.id)
    assert await desk.of_company(one, "country") == ["FR"]
    shown = (await desk.office.facts(one)).values
    assert [item.value for item in shown if item.rejection] == ["DE"], "its own rejection stays"
    await desk.sound()


async def rejected(desk: Desk, lead_id: UUID) -> set[tuple[str, str]]:
    """Field and value of a lead's rejections, the leads that are part of others included."""
    async with desk.bench.database.system(read_only=True) as tx:
        rows = await tx.all(REJECTED, {"lead_id": lead_id})
    return {(row.field, row.value) for row in rows}


async def test_a_merged_company_keeps_what_people_wrote_about_it_and_returns_it(desk: Desk) -> None:
    one, first_id, _ = await known(desk)
    two = domain()
    await desk.lead(f"z@{two}")
    second_id = await desk.office.company_id(two)
    await desk.decide(second_id, "city", Decision.CORRECTED, "Vienna")
    actor, database = desk.bench.actor, desk.bench.database
    async with database.transaction(actor.workspace_id) as tx:
        merge = await merge_companies(
            tx, actor, company_id=first_id, command=MergeCompany.model_validate({"otherId": str(second_id)})
        )
    assert await desk.of_company(one, "city") == ["Vienna"]
    async with database.transaction(actor.workspace_id) as tx:
        await undo_merge(tx, actor, merge_id=merge.id)
    assert (await desk.of_company(one, "city"), await desk.of_company(two, "city")) == ([], ["Vienna"])
    await desk.sound()
