"""The list of purchases, and the form of a refund."""

import pytest

from leadflood.kernel.actor import Role
from tests.integration.spending.till import Till
from tests.integration.web.conftest import House

LIST = "/spending/purchases"


async def test_a_refund_is_recorded_once_and_goes_back_to_the_budget(house: House) -> None:
    admin = await house.signed_in(Role.ADMIN)
    till = Till(house.parts.database, house.actor)
    assert "No purchases" in (await admin.get(LIST)).text
    await till.price(500_000)
    budget = await till.budget(5_000_000)
    bought = await till.bought()
    await till.settle(bought, 1)
    assert "€0.50" in (await admin.get(LIST)).all(f"#purchase-{bought}")[0]

    page = await admin.get(f"{LIST}/{bought}")
    assert page.attribute("#f-amountMicros", "value") == "0.50"
    fields = {"charged": page.attribute("[name=charged]", "value") or "", "amountMicros": "0.2", "sentence": "Bounced."}
    done = await admin.post(f"{LIST}/{bought}/refunds", fields)
    assert "Refund recorded." in done.text
    assert "€0.30" in done.text
    again = await admin.post(f"{LIST}/{bought}/refunds", fields)
    assert (again.status, "The purchase has changed." in again.text) == (409, True)
    assert await till.sums(budget) == (0, 0, 300_000)
    rest = {"charged": "300000", "amountMicros": "0.3"}
    assert "Refund recorded." in (await admin.post(f"{LIST}/{bought}/refunds", rest)).text
    twice = await admin.post(f"{LIST}/{bought}/refunds", rest)
    assert (twice.status, "The refund cannot exceed the amount charged" in twice.text) == (409, True), (
        "said where no form is left"
    )
    assert await till.sums(budget) == (0, 0, 0)
    assert "Bounced." in (await admin.get("/spending")).text
    assert await till.violations() == []


@pytest.mark.parametrize(
    ("amount", "status", "message"),
    [
        ("", 400, "Amount is required."),
        ("much", 400, "Must be an amount"),
        ("0", 400, "Must be more than 0."),
        ("0.6", 409, "The refund cannot exceed the amount charged"),
    ],
)
async def test_what_cannot_be_refunded_is_refused_and_kept(
    house: House, amount: str, status: int, message: str
) -> None:
    admin = await house.signed_in(Role.ADMIN)
    till = Till(house.parts.database, house.actor)
    await till.price(500_000)
    budget = await till.budget(5_000_000)
    bought = await till.bought()
    await till.settle(bought, 1)
    await admin.get(f"{LIST}/{bought}")
    refused = await admin.post(f"{LIST}/{bought}/refunds", {"charged": "500000", "amountMicros": amount})
    assert (refused.status, message in refused.text) == (status, True)
    assert refused.attribute("#f-amountMicros", "value") == amount
    assert await till.sums(budget) == (0, 0, 500_000)


async def test_each_state_has_a_word_and_only_admins_refund_what_was_charged(house: House) -> None:
    admin, member = await house.signed_in(Role.ADMIN), await house.signed_in(Role.MEMBER)
    till = Till(house.parts.database, house.actor)
    await till.price(500_000)
    await till.budget(50_000_000)
    under_way, doubtful, lost, free, charged = [await till.bought() for _ in range(5)]
    await till.hold(doubtful)
    await till.hold(lost)
    await till.write_off(lost)
    await till.settle(free, 0)
    await till.settle(charged, 1)
    shown = (await member.get(LIST)).text
    assert all(word in shown for word in ("Under way", "In doubt", "Written off", "Charged"))

    offered = [
        purchase
        for purchase in (under_way, doubtful, lost, free, charged)
        if (await admin.get(f"{LIST}/{purchase}")).html.css("form[action$='/refunds']")
    ]
    assert offered == [lost, charged]
    assert (await member.get(f"{LIST}/{charged}")).html.css("form[action$='/refunds']") == []
    refused = await member.post(f"{LIST}/{charged}/refunds", {"charged": "500000", "amountMicros": "0.5"})
    assert refused.status == 403
