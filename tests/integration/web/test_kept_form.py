"""A form that the service could not handle is kept by its error page, which can send it again."""

from dataclasses import replace

from tests.integration.web.conftest import House
from tests.support.web import ORIGIN, Browser, Fields, Seen, browser_of, site


async def refused(house: House, browser: Browser, path: str, fields: Fields) -> Seen:
    """Send a form of the page seen last while the service takes too long even to look who asks."""
    hurried = house.web.settings.model_copy(update={"request_timeout_seconds": 1e-6})
    async with browser_of(site(house.parts, replace(house.web, settings=hurried))) as slow:
        slow.client.cookies, slow.token = browser.client.cookies, browser.token
        return await slow.post(path, fields)


async def test_a_form_is_kept_and_sent_again_with_one_button(house: House, owner: Browser) -> None:
    await owner.get("/leads/new")
    page = await refused(
        house, owner, "/leads", {"email": "ada@acme.com", "company": 'Acme "& Co"', "firstName": "Ada"}
    )

    form = page.html.css_first("form[data-again]")
    assert (page.status, form is not None) == (503, True)
    assert form is not None
    fields = {node.attributes["name"] or "": node.attributes["value"] or "" for node in form.css("input")}
    answer = await owner.client.post(
        form.attributes["action"] or "", data=fields, headers={"Origin": ORIGIN}, follow_redirects=True
    )

    assert "What you entered is kept on this page." in page.text
    assert answer.status_code == 200
    assert "ada@acme.com" in answer.text
    assert "Acme &#34;&amp; Co&#34;" in answer.text


async def test_a_page_that_was_only_read_is_asked_for_again(house: House, owner: Browser) -> None:
    hurried = house.web.settings.model_copy(update={"request_timeout_seconds": 1e-6})
    async with browser_of(site(house.parts, replace(house.web, settings=hurried))) as slow:
        slow.client.cookies = owner.client.cookies
        page = await slow.get("/leads?q=ada")

    assert page.attribute("main a.button--primary", "href") == "/leads?q=ada"
    assert page.html.css("form[data-again]") == []


async def test_neither_passwords_nor_forms_of_others_are_shown_again(house: House, owner: Browser) -> None:
    await owner.get("/settings")
    password = await refused(house, owner, "/settings/password", {"currentPassword": "s3cret", "newPassword": "s3cret"})
    owner.token = "made-up"
    forged = await refused(house, owner, "/leads", {"email": "mallory@acme.com"})

    assert (password.status, forged.status) == (503, 503)
    assert "s3cret" not in password.response.text
    assert "mallory" not in forged.response.text
