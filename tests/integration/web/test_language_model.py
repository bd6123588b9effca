"""The page of the language model: what is missing, the form of the model, and what a refusal keeps."""

from leadflood.kernel.actor import Role
from tests.integration.web.conftest import House
from tests.support.web import Browser, Seen

PATH = "/settings/sources/language_model"
GIVEN = {"url": "https://api.acme-ai.test/v1", "model": "acme-small", "outputWeight": "4"}
KEY = "canary-4711-secret-key-9xyz"


def missing(page: Seen) -> list[str]:
    return page.all(".step:not(.step--done) h3")


async def test_it_is_listed_before_it_is_set_up_and_its_page_leads_through_it(house: House, owner: Browser) -> None:
    listed = await owner.get("/settings/sources")
    assert "Language model" in " ".join(listed.all("#source-language_model"))
    page = await owner.get(PATH)
    assert missing(page) == ["Model", "Price", "Budget of the workspace"]
    assert page.html.css("#key") == [], "a key is for a server"
    assert page.attribute("#f-outputWeight", "value") == "4"

    saved = await owner.post(f"{PATH}/model", GIVEN)
    assert "Model saved." in saved.text
    assert missing(saved) == ["Key", "Price", "Budget of the workspace"]
    assert "acme-small at https://api.acme-ai.test is asked" in saved.text
    assert [saved.attribute(f"#f-{name}", "value") for name in ("url", "model")] == [GIVEN["url"], GIVEN["model"]]

    await owner.post(f"{PATH}/key", {"key": KEY})
    priced = await owner.post(f"{PATH}/price", {"priceMicros": "0.00015"})
    assert "One thousand tokens costs" in " ".join(priced.text.split())
    enabled = await owner.post(f"{PATH}/states", {"enabled": "on"})
    assert "Source enabled." in enabled.text
    assert "canary" not in enabled.text

    moved = await owner.post(f"{PATH}/model", {**GIVEN, "url": "https://other.acme-ai.test/v1"})
    assert "Its key was for another server and is deleted." in moved.text
    assert "Key" in missing(moved)


async def test_a_refused_address_is_kept_with_its_reason(house: House, owner: Browser) -> None:
    await owner.get(PATH)
    local = {**GIVEN, "url": "http://localhost:11434/v1", "keyless": "on"}

    refused = await owner.post(f"{PATH}/model", local)

    assert refused.status == 400
    assert "LEADFLOOD_INTERNAL_HOSTS=model=HOST:PORT" in " ".join(refused.all("#model .field__error"))
    assert refused.attribute("#f-url", "value") == local["url"]
    assert len(refused.html.css("#f-keyless[checked]")) == 1
    keyless = await owner.post(f"{PATH}/model", {**GIVEN, "keyless": "on"})
    assert "This server needs a key." in " ".join(keyless.all("#model .field__error"))
    number = await owner.post(f"{PATH}/model", {**GIVEN, "outputWeight": "many"})
    assert (number.status, len(number.all("#model .field__error"))) == (400, 1)
    assert missing(await owner.get(PATH))[0] == "Model", "nothing was saved"


async def test_members_see_the_model_and_cannot_change_it(house: House, owner: Browser) -> None:
    await owner.get(PATH)
    await owner.post(f"{PATH}/model", GIVEN)
    member = await house.signed_in(Role.MEMBER)

    page = await member.get(PATH)

    assert "acme-small at https://api.acme-ai.test" in page.text
    assert page.html.css("#model form") == []
    assert (await member.post(f"{PATH}/model", GIVEN)).status == 403
