"""The test of a source on its page: its price before, what was sent and answered after."""

import pytest

from leadflood.domains.enrichment.contracts.source_settings import SetSourceKey
from leadflood.domains.enrichment.events import TEST_SOURCE
from leadflood.domains.enrichment.models.runs import Step, StepState
from leadflood.domains.enrichment.models.source_tests import SourceTestCall, SourceTestResult
from leadflood.domains.enrichment.queries.source_tests import latest_test
from leadflood.domains.enrichment.service import source_settings
from leadflood.domains.enrichment.service.source_tests import finish
from leadflood.domains.jobs.models import RunningJob
from leadflood.kernel.actor import Role
from leadflood.kernel.clock import utc_now
from tests.integration.spending.till import Till
from tests.integration.web.conftest import House
from tests.support.web import Browser

SOURCE = "hunter_email_verifier"
PATH = f"/settings/sources/{SOURCE}"
EMAIL = "ada.lovelace@acme.com"


async def set_up(house: House, *, budget: bool = True) -> None:
    till = Till(house.parts.database, house.actor)
    await till.price(25_000, source=SOURCE)
    if budget:
        await till.budget(1_000_000)
    async with house.parts.database.transaction(house.workspace_id) as tx:
        command = SetSourceKey(key="canary-4711-secret-key-9xyz")
        await source_settings.set_key(tx, house.actor, house.parts.secret_box, source=SOURCE, command=command)


async def end(house: House, result: SourceTestResult) -> None:
    """End the test as its job does."""
    async with house.parts.database.transaction(house.workspace_id) as tx:
        made = await latest_test(tx, house.actor, source=SOURCE)
        job = RunningJob(house.workspace_id, made.job_id, TEST_SOURCE.name, 1, 3, "", None, {}, utc_now())
        await finish(tx, house.actor, [(job, (SOURCE, result))])


async def test_the_form_names_the_price_and_the_page_shows_what_came(house: House, owner: Browser) -> None:
    await house.lead(EMAIL)
    await set_up(house)
    page = await owner.get(PATH)
    assert "One call, which costs at most €0.025." in page.text
    assert page.all("#test button") == ["Buy one call"]
    assert page.all("#source-test > *") == []

    asked = await owner.post(f"{PATH}/tests", {"about": EMAIL})
    assert "Testing. The answer appears here." in asked.text
    assert asked.all("#source-test .callout__title") == ["Asking"]

    call = SourceTestCall("GET", "https://api.hunter.io/v2/email-verifier", {"x-api-key": "[secret]"}, None, 404, "<b>")
    step = Step(SOURCE, "Hunter", StepState.MISSED, "Hunter does not know it.", seconds=0.2)
    await end(house, SourceTestResult(step, calls=[call]))
    shown = await owner.get(PATH)
    assert shown.all("#source-test h3") == ["Request", "Reply 404"]
    assert shown.all("#source-test pre") == [
        "GET https://api.hunter.io/v2/email-verifier x-api-key: [secret]",
        "<b>",
    ]
    assert "Hunter does not know it." in " ".join(shown.all("#source-test .sources"))


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ("", "required"),
        ("acme", "Enter a valid email address."),
        ("nobody@acme.com", "No lead has this email. Add it first."),
    ],
)
async def test_a_lead_that_there_is_not_is_refused_and_kept_in_the_form(
    house: House, owner: Browser, about: str, message: str
) -> None:
    await set_up(house)
    await owner.get(PATH)
    refused = await owner.post(f"{PATH}/tests", {"about": about})
    assert refused.status == 400
    assert message in " ".join(refused.all("#test .field__error"))
    assert (refused.attribute("#f-about", "value") or "") == about


async def test_one_that_is_not_set_up_offers_no_test_and_members_see_none(house: House, owner: Browser) -> None:
    await house.lead(EMAIL)
    page = await owner.get(PATH)
    assert "Set it up first." in " ".join(page.all("#test"))
    assert page.html.css("#test form") == []
    assert (await owner.post(f"{PATH}/tests", {"about": EMAIL})).status == 409

    await set_up(house, budget=False)
    assert (await owner.get(PATH)).html.css("#test form") == [], "there is no budget"
    member = await house.signed_in(Role.MEMBER)
    assert (await member.get(PATH)).html.css("#test") == []
    assert (await member.post(f"{PATH}/tests", {"about": EMAIL})).status == 403
    assert (await owner.get("/settings/sources/language_model")).html.css("#test") == []
