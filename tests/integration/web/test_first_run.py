"""The first page of a new installation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from leadflood.bootstrap import build_registry
from leadflood.domains.identity.models import FirstRun
from leadflood.domains.identity.service import administration, first_run
from leadflood.kernel.clock import utc_now
from leadflood.kernel.crypto import new_token
from leadflood.kernel.queue.ports import QueueBackend
from tests.integration.identity.conftest import empty_identity
from tests.support.api import make_parts
from tests.support.identity import Identity
from tests.support.sandbox import shared_sandbox
from tests.support.web import Browser, browser_of, site, web_parts

__all__ = ["empty_identity"]

FRESH = "nine yellow ferrets"
WANTED = {"name": "Grace <b>", "email": "grace@acme.test", "password": FRESH, "workspace": "Acme"}


@dataclass(frozen=True)
class Installation:
    """A new installation, and somebody in front of it."""

    first: FirstRun
    link: str
    browser: Browser


@pytest.fixture
async def new(
    empty_identity: Identity, queue_backend: QueueBackend, application_url: str
) -> AsyncIterator[Installation]:
    database, settings = empty_identity.database, empty_identity.settings
    first = await administration.first_run(database)
    code = await first_run.open_code(database, empty_identity.secret_box, now=utc_now())
    assert first is not None
    parts = make_parts(
        settings,
        database,
        queue_backend,
        build_registry(settings, database, shared_sandbox()),
        empty_identity.secret_box,
    )
    web = web_parts(parts, application_url)
    async with browser_of(site(parts, web)) as browser:
        yield Installation(first, f"/first-run/{code}", browser)
    await web.changes.close()


async def test_the_link_leads_from_nothing_to_the_home_page(new: Installation) -> None:
    seen = await new.browser.get(new.link)
    assert seen.status == 200
    assert seen.all("h1") == ["Create your owner account"]
    assert seen.attribute("#f-password", "autocomplete") == "new-password"
    entered = await new.browser.post(new.link, WANTED)

    assert (entered.status, entered.path) == (200, "/")
    assert "Welcome to Acme." in entered.all(".toast__text")
    settings = await new.browser.get("/settings")
    assert settings.attribute("#f-name", "value") == "Grace <b>"
    assert "grace@acme.test" in settings.text

    again = await new.browser.get(new.link)
    assert again.status == 404
    assert "Until the first owner signs in" in again.text


async def test_what_is_wrong_is_told_at_its_field_and_nothing_is_changed(new: Installation) -> None:
    await new.browser.get(new.link)

    seen = await new.browser.post(new.link, {**WANTED, "email": "grace@", "password": "short", "workspace": " "})

    assert seen.status == 400
    assert {"Email", "Password", "Workspace name"} == {item.partition(":")[0] for item in seen.all(".error-summary li")}
    assert seen.attribute("#f-name", "value") == "Grace <b>"
    assert "short" not in seen.response.text
    assert "Grace <b>" not in seen.response.text
    assert (await new.browser.post(new.link, WANTED)).path == "/"


async def test_a_wrong_link_tells_nothing(new: Installation) -> None:
    await new.browser.get("/sign-in")

    for link in (f"/first-run/{new_token('lff_')}", "/first-run/%3Cscript%3E", "/first-run/x"):
        for seen in (await new.browser.get(link), await new.browser.post(link, WANTED)):
            assert seen.status == 404
            assert new.first.email not in seen.response.text
            assert "<script>" not in seen.response.text
    assert (await new.browser.get(new.link)).status == 200


async def test_signing_in_with_the_printed_password_closes_the_link(new: Installation) -> None:
    assert (await new.browser.sign_in(new.first.email, new.first.password)).path == "/"

    assert (await new.browser.get(new.link)).status == 404


async def test_the_code_stays_out_of_the_log(new: Installation) -> None:
    with capture_logs() as lines:
        await new.browser.get(new.link)
        await new.browser.post(new.link, WANTED)

    assert "/first-run/{code}" in {line.get("route") for line in lines}
    assert new.link.rpartition("/")[2] not in str(lines)
