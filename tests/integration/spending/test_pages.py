"""The page of spending."""

from leadflood.kernel.actor import Role
from tests.integration.spending.till import Till
from tests.integration.web.conftest import House, house, new_house, pages_app, pages_parts, site_parts
from tests.support.api import gate

__all__ = ["gate", "house", "new_house", "pages_app", "pages_parts", "site_parts"]


async def test_budgets_are_created_paused_and_shown_with_what_was_spent(house: House) -> None:
    admin, viewer = await house.signed_in(Role.ADMIN), await house.signed_in(Role.VIEWER)
    till = Till(house.parts.database, house.actor)
    await till.price(2_500_000)

    page = await admin.get("/spending")
    assert "No budget" in page.text
    refused = await admin.post("/spending/budgets", {"scope": "workspace", "period": "month", "limit": "much"})
    assert (refused.status, "Must be an amount" in refused.text) == (400, True)
    made = await admin.post("/spending/budgets", {"scope": "workspace", "period": "month", "limit": "50"})
    assert "Budget created." in made.text
    await till.settle(await till.bought(), 1)
    await till.hold(await till.bought())

    page = await admin.get("/spending")
    assert "€2.50 of €50.00" in page.text
    assert "€2.50 in doubt" in page.text
    german = (await admin.get("/spending", accept_language="de-DE")).text
    assert "2,50 € of 50,00 €" in german
    assert page.all("#plot-spent-title") == ["Spent per day"]
    assert "Held" in (await admin.get("/spending?by=person")).text
    file = (await admin.client.get("/spending/transfers")).text
    assert len(file.splitlines()) == 5, "a header, and four transfers"

    (budget,) = page.html.css("input[name=version]")[:1]
    path = next(form.attributes["action"] for form in page.html.css("form[action^='/spending/budgets/']"))
    fields = {"version": budget.attributes["value"] or "", "state": "paused"}
    assert "Budget paused." in (await admin.post(str(path), fields)).text
    assert "Paused" in (await admin.get("/spending")).text

    doubt = next(form.attributes["action"] for form in page.html.css("form[action$='/write-offs']"))
    assert "Written off." in (await admin.post(str(doubt))).text
    seen = await viewer.get("/spending")
    assert "€5.00 of €50.00" in seen.text
    assert seen.html.css("form[action^='/spending/']") == []
