"""Open pairs on the pages of both leads."""

from leadflood.kernel.ids import new_id
from tests.integration.web.conftest import House
from tests.integration.web.test_duplicates import PATH, new_pair
from tests.support.web import Browser


async def test_both_leads_of_an_open_pair_name_the_other_one(house: House, owner: Browser, viewer: Browser) -> None:
    pair = await new_pair(house, company="Acme Ltd")
    one, two = pair.leads
    unrelated = await house.lead("grace@navy.example")

    for lead, other in ((one, two), (two, one)):
        seen = await owner.get(f"/leads/{lead.id}")
        panel = "#panel-duplicates"
        assert seen.all(f"{panel} h2") == ["Possible duplicate"]
        assert other.email in seen.all(panel)[0]
        assert seen.attribute(f"{panel} a[href='/leads/{other.id}']", "href")
        assert seen.attribute(f"{panel} a.button", "href") == f"{PATH}/{pair.id}"
        assert seen.attribute(f"{panel} form", "action") == f"{PATH}/{pair.id}/dismissals"
    assert "Possible duplicate" not in (await owner.get(f"/leads/{unrelated}")).text
    seen = await viewer.get(f"/leads/{one.id}")
    assert seen.html.css("#panel-duplicates a")
    assert seen.html.css("#panel-duplicates form") == []


async def test_a_pair_dismissed_on_a_lead_shows_the_lead_again_without_it(house: House, owner: Browser) -> None:
    pair = await new_pair(house)
    lead = pair.leads[1]
    await owner.get(f"/leads/{lead.id}")

    seen = await owner.post(f"{PATH}/{pair.id}/dismissals", {"lead": str(lead.id)})

    assert str(seen.response.url).endswith(f"/leads/{lead.id}")
    assert "Not a duplicate." in seen.all(".toast__text")
    assert seen.html.css("#panel-duplicates") == []
    other = await owner.post(f"{PATH}/{pair.id}/dismissals", {"lead": str(new_id())})
    assert str(other.response.url).endswith(PATH)


async def test_a_pair_with_a_deleted_lead_is_not_on_the_other_ones_page(house: House, owner: Browser) -> None:
    pair = await new_pair(house)
    await owner.get(f"/leads/{pair.leads[1].id}")
    await owner.post(f"/leads/{pair.leads[1].id}/deletion")

    assert (await owner.get(f"/leads/{pair.leads[0].id}")).html.css("#panel-duplicates") == []
