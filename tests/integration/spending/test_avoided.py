"""Calls that were not made: the setting, the page of spending, the API, and who may see and change it."""

from leadflood.domains.spending.models import AvoidedCall
from leadflood.domains.spending.service import avoided
from leadflood.kernel.actor import Role
from leadflood.kernel.ids import new_id
from tests.integration.spending.till import PRICE, SOURCE, Till
from tests.integration.web.conftest import House, NewHouse, house, new_house, pages_app, pages_parts, site_parts
from tests.support.api import gate

__all__ = ["gate", "house", "new_house", "pages_app", "pages_parts", "site_parts"]

REASON = "Not asked: no answer could change the tier B of Fit."


async def test_the_page_of_spending_sums_the_calls_that_were_not_made(house: House) -> None:
    viewer = await house.signed_in(Role.VIEWER)
    till = Till(house.parts.database, house.actor)
    await till.price(25_000)
    assert "Nothing left out" in (await viewer.get("/spending")).text

    subject_id = new_id()
    calls = [AvoidedCall(SOURCE, 2, each, None, REASON) for each in (subject_id, new_id())]
    unpriced = AvoidedCall("another", 1, subject_id, None, REASON)
    async with house.parts.database.transaction(house.actor.workspace_id) as tx:
        assert await avoided.record(tx, house.actor, [*calls, unpriced]) == [(50_000, "EUR"), (50_000, "EUR"), None]
    async with house.parts.database.transaction(house.actor.workspace_id) as tx:
        assert await avoided.record(tx, house.actor, calls[:1]) == [(50_000, "EUR")], (
            "the price, without counting twice"
        )

    text = (await viewer.get("/spending")).text
    assert "€0.10 at most, for 2 calls that were not made" in text


async def test_who_may_write_chooses_that_paid_sources_are_asked_only_for_a_tier(house: House) -> None:
    admin, viewer = await house.signed_in(Role.ADMIN), await house.signed_in(Role.VIEWER)
    assert "Paid sources are asked for every field that is missing." in (await viewer.get("/settings/enrichment")).text

    await admin.get("/settings/enrichment")
    assert "Saved." in (await admin.post("/settings/enrichment", {"onlyForTier": "on"})).text

    page = await admin.get("/settings/enrichment")
    assert len(page.html.css("input[name=onlyForTier][checked]")) == 1
    assert "only if the answer can change the tier" in (await viewer.get("/settings/enrichment")).text
    assert (await viewer.post("/settings/enrichment", {})).status == 403
    assert "changed when paid sources are asked" in (await admin.get("/settings/audit")).text


async def test_calls_of_another_workspace_are_not_counted(new_house: NewHouse) -> None:
    ours, theirs = await new_house(), await new_house()
    await Till(theirs.parts.database, theirs.actor).price(PRICE)
    async with theirs.parts.database.transaction(theirs.actor.workspace_id) as tx:
        await avoided.record(tx, theirs.actor, [AvoidedCall(SOURCE, 1, new_id(), None, REASON)])

    assert "for 1 call that was not made" in (await (await theirs.signed_in(Role.VIEWER)).get("/spending")).text
    assert "Nothing left out" in (await (await ours.signed_in(Role.VIEWER)).get("/spending")).text
