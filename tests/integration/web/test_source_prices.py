"""The page of a source that charges: its price, what is missing before it is used, and why it is paused."""

import pytest

from leadflood.domains.spending import queries
from leadflood.domains.spending.models import BudgetState, Price, Scope
from leadflood.domains.spending.service import purchases
from leadflood.kernel.actor import Role
from tests.integration.spending.till import Till
from tests.integration.web.conftest import House
from tests.support.web import Browser, Seen

SOURCE = "hunter_email_verifier"
PATH = f"/settings/sources/{SOURCE}"
KEY = "canary-4711-secret-key-9xyz"
REASON = "It is paused: it charged 3 units for one call, and 1 at most were expected."


async def price_of(house: House) -> Price | None:
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return await queries.price_of(tx, house.actor, source=SOURCE)


def missing(page: Seen) -> list[str]:
    return page.all(".step:not(.step--done) h3")


async def test_the_checklist_names_what_is_missing_until_the_source_can_be_enabled(
    house: House, owner: Browser
) -> None:
    till = Till(house.parts.database, house.actor)
    page = await owner.get(PATH)
    assert missing(page) == ["Key", "Price", "Budget of the workspace"]
    links = [node.attributes["href"] for node in page.html.css(".step__actions a")]
    assert links == ["#key", "#price", "/spending"]
    assert all(page.html.css_first(link) for link in links[:2] if link), "the links lead to the forms"

    assert missing(await owner.post(f"{PATH}/key", {"key": KEY})) == ["Price", "Budget of the workspace"]
    assert missing(await owner.post(f"{PATH}/price", {"priceMicros": "0,025"})) == ["Budget of the workspace"]
    await till.budget(1_000_000, scope=Scope.SOURCE, subject=SOURCE)
    assert missing(await owner.get(PATH)) == ["Budget of the workspace"], "one of a source is not enough"
    budget = await till.budget(5_000_000)
    assert (await owner.get(PATH)).all(".step") == []
    await till.change(budget, state=BudgetState.PAUSED)
    assert (await owner.get(PATH)).all(".step:not(.step--done) p") == ["It is paused."]

    assert "Source enabled." in (await owner.post(f"{PATH}/states", {"enabled": "on"})).text


async def test_a_price_is_set_shown_for_the_region_kept_in_the_form_and_removed(house: House, owner: Browser) -> None:
    await owner.get(PATH)
    saved = await owner.post(f"{PATH}/price", {"priceMicros": "0.025", "mostPerHitMicros": "0.2"})
    assert "One credit costs €0.025." in saved.text
    assert await price_of(house) == Price(SOURCE, 25_000, "EUR", 200_000)
    german = await owner.get(PATH, accept_language="de-DE")
    assert "One credit costs 0,025 €." in german.text
    assert german.attribute("#f-priceMicros", "value") == "0.025"
    assert german.attribute("#f-mostPerHitMicros", "value") == "0.20"

    assert "Price removed." in (await owner.post(f"{PATH}/price-removals")).text
    assert await price_of(house) is None
    assert "No price is set" in (await owner.post(f"{PATH}/price-removals")).text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"priceMicros": ""}, "Price is required."),
        ({"priceMicros": "much"}, "Must be an amount"),
        ({"priceMicros": "0"}, "Must be more than 0."),
        ({"priceMicros": "1", "mostPerHitMicros": "-1"}, "Must be an amount"),
    ],
)
async def test_what_is_no_price_is_refused_and_kept_in_the_form(
    house: House, owner: Browser, fields: dict[str, str], message: str
) -> None:
    await owner.get(PATH)
    refused = await owner.post(f"{PATH}/price", fields)
    assert (refused.status, message in " ".join(refused.all("#price .field__error"))) == (400, True)
    assert refused.attribute("#f-priceMicros", "value") == fields["priceMicros"]
    assert await price_of(house) is None


async def test_a_paused_source_says_why_and_resumes_at_its_price(house: House, owner: Browser) -> None:
    till = Till(house.parts.database, house.actor)
    await till.price(25_000, source=SOURCE, most_per_hit=90_000)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        await purchases.pause(tx, house.actor, source=SOURCE, reason=REASON)

    page = await owner.get(PATH)
    assert REASON in page.all(".callout")[0]
    assert "Resumed." in (await owner.post(f"{PATH}/resumptions")).text
    assert (await owner.get(PATH)).all(".callout") == []
    assert await price_of(house) == Price(SOURCE, 25_000, "EUR", 90_000)


async def test_only_those_who_may_spend_change_prices_and_only_of_sources_that_charge(
    house: House, owner: Browser
) -> None:
    member = await house.signed_in(Role.MEMBER)
    seen = await member.get(PATH)
    assert "No price is set" in seen.text
    assert seen.html.css("form[action$='/price']") == []
    for verb in ("price", "price-removals", "resumptions"):
        assert (await member.post(f"{PATH}/{verb}", {"priceMicros": "1"})).status == 403

    assert (await owner.get("/settings/sources/email_insight")).html.css("#price") == []
    for verb in ("price", "price-removals", "resumptions"):
        assert (await owner.post(f"/settings/sources/unknown/{verb}", {"priceMicros": "1"})).status == 404
