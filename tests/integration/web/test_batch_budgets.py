"""The money of an enrichment of many: the most that it can cost, its budget, and what it cost so far."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from leadflood.domains.enrichment.contracts.source_settings import ChangeSource, SetSourceKey
from leadflood.domains.enrichment.queries.batches import list_batches
from leadflood.domains.enrichment.service import source_settings
from leadflood.kernel.actor import Role
from leadflood.kernel.db.sql import sql
from tests.integration.spending.till import Till
from tests.integration.web.conftest import House
from tests.support.web import Browser

# An answer about each lead that cost something.
CHARGED = sql("""
INSERT INTO lookups (workspace_id, id, lead_id, source, source_version, state, sentence, asked_at, answered_at,
                     expires_at, cost_micros)
SELECT :workspace_id, gen_random_uuid(), id, :source, '1', 'found', '', now(), now(), now(), 500000
FROM unnest(:ids::uuid[]) AS l (id)
""")
PERSON, COMPANY = "hunter_email_verifier", "pdl_company"


async def charging(house: House) -> Till:
    """A source about leads and one about companies that charge 0.50 and 0.10 for a call, and a budget."""
    till = Till(house.parts.database, house.actor)
    await till.budget(50_000_000)
    for source, price in ((PERSON, 500_000), (COMPANY, 100_000)):
        await till.price(price, source=source)
        async with house.parts.database.transaction(house.workspace_id) as tx:
            key = SetSourceKey(key="a-key-of-a-provider")
            await source_settings.set_key(tx, house.actor, house.parts.secret_box, source=source, command=key)
            await source_settings.change(tx, house.actor, source=source, command=ChangeSource(enabled=True))
    return till


async def selected(house: House, *emails: str) -> dict[str, list[str]]:
    return {"ids": [str(await house.lead(email)) for email in emails]}


async def budgets(house: House) -> Sequence[int | None]:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return [item.budget_micros for item in (await list_batches(tx, house.actor, limit=10)).items]


async def asked(house: House, fields: dict[str, list[str]]) -> Browser:
    member = await house.signed_in(Role.MEMBER)
    await member.get("/leads")
    page = await member.post("/enrichments/estimates", fields)
    assert "Sources that charge cost €1.20 at most." in page.text, "two leads, and two companies"
    assert "There are no earlier calls to judge by" in page.text
    assert page.attribute("#f-budgetMicros", "value") == "1.20"
    return member


async def test_a_budget_is_offered_given_and_used_up_on_a_live_page(house: House, viewer: Browser) -> None:
    till = await charging(house)
    fields = await selected(house, "ada@acme.com", "bob@globex.de")
    member = await asked(house, fields)
    started = await member.post("/enrichments", {**fields, "budgetMicros": "0,75"})
    assert await budgets(house) == [750_000]
    assert "Cost €0.00 of €0.75" in (await viewer.get(started.path)).all("#enrichment-state")[0]

    batch_id = UUID(started.path.rpartition("/")[2])
    order = till.order(source=COMPANY, batch_id=batch_id)
    await till.buy(order)
    live = await viewer.get(started.path, hx_request="true", x_live="poll")
    assert "€0.10 more is reserved" in live.text
    await till.settle(order.id, 1)
    live = await viewer.get(started.path, hx_request="true", x_live="poll")
    assert "Cost €0.10 of €0.75" in live.text
    assert "more is reserved" not in live.text


async def test_the_likely_cost_is_judged_by_what_was_charged_lately(house: House) -> None:
    await charging(house)
    fields = await selected(house, "ada@acme.com", "bob@globex.de")
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await tx.execute(CHARGED, {"workspace_id": house.workspace_id, "source": PERSON, "ids": fields["ids"]})
    member = await house.signed_in(Role.MEMBER)
    await member.get("/leads")

    page = await member.post("/enrichments/estimates", fields)

    assert "Judging by the latest 2 calls, " in page.text
    assert "is likely (in 4 of 5 cases)" in page.text


@pytest.mark.parametrize("budget", ["", "0"])
async def test_without_a_budget_only_free_sources_are_asked(house: House, budget: str) -> None:
    await charging(house)
    fields = await selected(house, "ada@acme.com", "bob@globex.de")
    member = await asked(house, fields)
    started = await member.post("/enrichments", {**fields, "budgetMicros": [budget]})
    assert await budgets(house) == [None]
    assert started.html.css("#cost") == []


async def test_what_is_no_amount_is_refused_and_starts_nothing(house: House) -> None:
    await charging(house)
    fields = await selected(house, "ada@acme.com", "bob@globex.de")
    member = await asked(house, fields)
    for given in (fields, {"domains": ["acme.com, globex.de"]}):
        refused = await member.post("/enrichments", {**given, "budgetMicros": ["much"]})
        assert (refused.status, "Must be an amount" in refused.text) == (400, True)
        assert refused.attribute("#f-budgetMicros", "value") == "much"
        assert len(refused.html.css("[name=budgetMicros]")) == 1
    assert await budgets(house) == []


async def test_no_budget_is_offered_where_nothing_is_charged(house: House) -> None:
    fields = await selected(house, "ada@acme.com")
    member = await house.signed_in(Role.MEMBER)
    await member.get("/leads")
    page = await member.post("/enrichments/estimates", fields)
    assert "Enrich 1 lead?" in page.text
    assert page.html.css("[name=budgetMicros]") == []
    assert "charge" not in page.text
