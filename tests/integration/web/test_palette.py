"""Actions of the command palette: themes, and the undo of the user's own latest change."""

from tests.integration.web.conftest import House
from tests.integration.web.test_leads import emails
from tests.support.web import Browser, Seen


def actions(seen: Seen) -> list[str]:
    return seen.all("form .palette__item")


async def test_the_theme_is_chosen_in_the_palette(owner: Browser) -> None:
    await owner.get("/leads")
    assert actions(await owner.part("/palette", "palette-list")) == []

    found = await owner.part("/palette?q=dark", "palette-list")
    assert actions(found) == ["Theme: Dark"]
    fields = {node.attributes["name"] or "": node.attributes["value"] or "" for node in found.html.css("form input")}
    await owner.post(found.attribute("form", "action") or "", fields)

    assert (await owner.get("/leads")).attribute("html", "data-theme") == "dark"


async def test_the_latest_change_of_the_user_is_undone_in_the_palette(
    owner: Browser, viewer: Browser, house: House
) -> None:
    await house.lead("ada@acme.com")
    await house.lead("bob@acme.com")
    await owner.get("/leads")
    assert actions(await owner.part("/palette?q=undo", "palette-list")) == []
    leads = [await house.lead(f"{name}@navy.example") for name in ("eve", "kim")]
    ticked = {"ids": [str(item) for item in leads], "action": "delete", "confirmed": "on"}
    await owner.post("/leads/bulk-changes", ticked)

    found = await owner.part("/palette?q=undo", "palette-list")
    assert actions(found) == ["Undo last change Deleted leads"]
    assert found.all(".palette__item")[0] == "Undo last change Deleted leads", "Enter presses the first item"
    assert actions(await viewer.part("/palette?q=undo", "palette-list")) == []
    await owner.post(found.attribute("form", "action") or "")

    assert await emails(house) == {"ada@acme.com", "bob@acme.com", "eve@navy.example", "kim@navy.example"}
    assert actions(await owner.part("/palette?q=undo", "palette-list")) == []
