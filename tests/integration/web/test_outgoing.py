"""Instance operators see and change whether mail may leave; nobody else does."""

import pytest

from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House

PAGE = "/settings/outgoing"


async def test_an_operator_closes_and_opens_the_hold_and_is_told_at_home(house: House) -> None:
    operator = await house.signed_in(Role.OWNER, operator=True)
    owner = await house.signed_in(Role.OWNER)
    await operator.get(PAGE)
    closed = await operator.post(f"{PAGE}/closings", {})
    try:
        assert "On hold" in closed.text
        assert "in the browser" in closed.text
        assert "Outgoing email is on hold" in (await operator.get("/")).text
        assert "Outgoing email is on hold" not in (await owner.get("/")).text
    finally:
        opened = await operator.post(f"{PAGE}/openings", {})
    assert "On hold" not in opened.text
    assert "Outgoing email is on hold" not in (await operator.get("/")).text


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
async def test_others_neither_see_it_nor_change_it(house: House, role: Role) -> None:
    browser = await house.signed_in(role)
    settings = await browser.get("/settings")

    assert PAGE not in settings.text
    assert (await browser.get(PAGE)).status == 403
    for path in ("openings", "closings"):
        assert (await browser.post(f"{PAGE}/{path}", {})).status == 403
