"""The page about our crawler is public, and names the contact of the settings."""

from dataclasses import replace

from tests.integration.web.conftest import House
from tests.support.web import browser_of, site


async def test_a_stranger_reads_how_to_exclude_the_crawler(house: House) -> None:
    page = await (await house.stranger()).get("/bot")

    assert page.status == 200
    assert "User-agent: LeadFloodBot\nDisallow: /" in page.response.text


async def test_the_contact_is_the_one_of_the_settings(house: House) -> None:
    settings = house.web.settings.model_copy(update={"crawler_contact": "https://acme.test/<b>"})
    async with browser_of(site(house.parts, replace(house.web, settings=settings))) as browser:
        page = await browser.get("/bot")

    assert page.all("a[href^='mailto:']") == []
    assert "https://acme.test/&lt;b&gt;" in page.response.text
