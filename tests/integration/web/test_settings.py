"""One's own settings: profile, address, password, appearance, sessions; and the workspace's name."""

import re

import pytest

from leadflood.domains.email_changes import queries as email_changes
from leadflood.domains.email_changes.models import LINK
from leadflood.domains.identity.contracts import VisitorView
from leadflood.domains.identity.service import access
from leadflood.kernel.actor import Role
from leadflood.web.cookies import TIME_ZONE
from tests.integration.web.conftest import House, NewHouse
from tests.integration.web.people import audited, joined, members_of, new_visitor
from tests.support.identity import PASSWORD
from tests.support.web import Browser

HOSTILE = "<script>alert(1)</script> 🚀 שלום"
FRESH = "nine yellow ferrets"


async def profile_of(browser: Browser, house: House) -> VisitorView:
    token = browser.client.cookies.get("__Host-leadflood") or ""
    return (await access.authenticate_browser(house.parts.database, token)).visitor


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_has_settings_with_what_the_role_may_see(house: House, role: Role) -> None:
    browser = await house.signed_in(role)

    seen = await browser.get("/settings")

    assert seen.status == 200
    offered = set(seen.all(".settings__item"))
    assert {"Profile", "Appearance", "Sessions", "General", "Members"} <= offered
    assert ({"API keys", "Audit log"} <= offered) is (role in {Role.OWNER, Role.ADMIN})


async def test_name_and_time_zone_are_saved_and_shown_as_text(viewer: Browser, house: House) -> None:
    await viewer.get("/settings")

    seen = await viewer.post("/settings", {"name": HOSTILE, "timeZone": "Asia/Tokyo"})

    assert (seen.status, seen.path) == (200, "/settings")
    assert "Profile saved." in seen.all(".toast__text")
    assert seen.attribute("input[name=name]", "value") == HOSTILE
    assert "<script>alert" not in seen.response.text
    stored = await profile_of(viewer, house)
    assert (stored.name, stored.time_zone) == (HOSTILE, "Asia/Tokyo")


async def test_a_fault_is_told_at_its_field_and_what_was_typed_is_kept(viewer: Browser, house: House) -> None:
    await viewer.get("/settings")

    seen = await viewer.post("/settings", {"name": "", "timeZone": "Moon/Crater"})

    assert seen.status == 400
    assert seen.attribute("input[name=timeZone]", "value") == "Moon/Crater"
    assert [seen.attribute(f"#f-{name}", "aria-invalid") for name in ("name", "timeZone")] == ["true", "true"]
    assert (await profile_of(viewer, house)).time_zone == "auto"


async def test_the_address_changes_once_the_link_to_it_is_opened(house: House) -> None:
    visitor = await new_visitor(house, Role.VIEWER)
    browser, wanted = visitor.browser, f"new-{visitor.email}"
    await browser.get("/settings")

    refused = await browser.post("/settings/email", {"email": wanted, "currentPassword": "not the right one"})
    assert refused.status == 400
    assert refused.attribute("#email-f-email", "value") == wanted
    assert refused.attribute("#email-f-currentPassword", "aria-invalid") == "true"
    assert refused.attribute("#password-f-currentPassword", "aria-invalid") is None
    assert "not the right one" not in refused.response.text

    seen = await browser.post("/settings/email", {"email": wanted, "currentPassword": PASSWORD})
    assert f"We’re emailing a link to {wanted}. Open it to confirm." in seen.all(".toast__text")
    assert wanted in seen.all("#pending-email")[0]
    async with house.parts.database.system(read_only=True) as tx:
        change = await email_changes.pending(tx, visitor.id)
    assert change is not None
    link = f"/email-changes/{LINK.token(house.parts.secret_box, change.id, change.sending)}"
    stranger = await house.stranger()
    assert (await stranger.sign_in(wanted, PASSWORD)).status == 401
    assert wanted in (await stranger.get(link)).text
    assert "Email changed to" in (await stranger.post(link)).all(".toast__text")[0]
    assert "was already confirmed" in (await stranger.get(link)).text
    assert (await stranger.sign_in(wanted, PASSWORD)).path == "/"


async def test_a_pending_change_is_cancelled(house: House) -> None:
    visitor = await new_visitor(house, Role.VIEWER)
    browser = visitor.browser
    await browser.get("/settings")
    await browser.post("/settings/email", {"email": f"new-{visitor.email}", "currentPassword": PASSWORD})

    assert (await browser.post("/settings/email/sendings")).status == 429
    seen = await browser.post("/settings/email/cancellations")

    assert seen.all(".toast__text") == ["Change canceled."]
    assert seen.all("#pending-email") == []
    assert (await browser.post("/settings/email/cancellations")).status == 404


async def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(house: House) -> None:
    visitor = await new_visitor(house, Role.MEMBER)
    elsewhere = await house.stranger()
    await elsewhere.sign_in(visitor.email, PASSWORD)
    await visitor.browser.get("/settings")

    short = await visitor.browser.post("/settings/password", {"currentPassword": PASSWORD, "newPassword": "short"})
    assert short.status == 400
    assert short.attribute("#password-f-newPassword", "aria-invalid") == "true"
    seen = await visitor.browser.post("/settings/password", {"currentPassword": PASSWORD, "newPassword": FRESH})

    assert (seen.status, seen.path) == (200, "/settings")
    assert "signed out everywhere else" in seen.text
    assert (await elsewhere.get("/settings")).path == "/sign-in"
    assert (await elsewhere.sign_in(visitor.email, PASSWORD)).status == 401
    assert (await elsewhere.sign_in(visitor.email, FRESH)).path == "/"


async def test_the_appearance_is_remembered_and_leads_back(viewer: Browser) -> None:
    await viewer.get("/settings/appearance")

    seen = await viewer.post("/settings/appearance", {"appearance": "dark", "next": "/jobs"})

    assert seen.path == "/jobs"
    assert seen.attribute("html", "data-theme") == "dark"
    shown = await viewer.get("/settings/appearance")
    assert shown.attribute("input[name=appearance][checked]", "value") == "dark"


@pytest.mark.parametrize("appearance", ["", "pink", "<script>"])
async def test_no_other_appearance_is_taken(viewer: Browser, appearance: str) -> None:
    await viewer.get("/settings/appearance")

    seen = await viewer.post("/settings/appearance", {"appearance": appearance})

    assert seen.status == 400
    assert seen.attribute("html", "data-theme") == "system"


async def test_the_way_back_from_the_appearance_leads_to_no_other_site(viewer: Browser) -> None:
    await viewer.get("/settings/appearance")

    seen = await viewer.post("/settings/appearance", {"appearance": "light", "next": "//evil.test"}, follow=False)

    assert seen.response.headers["location"] == "/settings/appearance"


async def test_sessions_of_all_workspaces_are_listed_and_one_can_be_ended(house: House, new_house: NewHouse) -> None:
    visitor, other = await new_visitor(house, Role.VIEWER), await new_house()
    elsewhere = await joined(other, visitor)
    assert (await elsewhere.get("/settings")).status == 200

    seen = await visitor.browser.get("/settings/sessions")
    assert len(seen.all("#sessions-list tbody tr")) == 2
    assert "This device" in seen.text
    assert "Unknown program" in seen.text
    ending = seen.attribute("dialog[id^=end-] form[action*='sessions/']", "action") or ""
    done = await visitor.browser.post(ending)

    assert "Signed out." in done.all(".toast__text")
    assert len(done.all("#sessions-list tbody tr")) == 1
    assert (await elsewhere.get("/settings")).path == "/sign-in"
    assert len(await audited(other, "session.ended")) == 1


async def test_all_other_sessions_end_at_once(house: House) -> None:
    visitor = await new_visitor(house, Role.MEMBER)
    others = [await house.enter(visitor.id, Role.MEMBER) for _ in range(3)]
    await visitor.browser.get("/settings/sessions")

    seen = await visitor.browser.post("/settings/sessions/endings")

    assert "Signed out 3 other sessions." in seen.all(".toast__text")
    assert [(await item.get("/settings")).path for item in others] == ["/sign-in"] * 3


async def test_nobody_ends_a_session_of_somebody_else(house: House, owner: Browser) -> None:
    visitor = await new_visitor(house, Role.VIEWER)
    session_id = (await audited(house, "session.started"))[0].subject_id
    await owner.get("/settings/sessions")

    seen = await owner.post(f"/settings/sessions/{session_id}/endings")

    assert seen.status == 404
    assert (await visitor.browser.get("/settings")).path == "/settings"


async def test_an_owner_renames_the_workspace_and_a_viewer_cannot(
    house: House, owner: Browser, viewer: Browser
) -> None:
    await owner.get("/settings/workspace")
    renamed = await owner.post("/settings/workspace", {"name": HOSTILE})
    assert "Workspace renamed." in renamed.all(".toast__text")
    assert "<script>alert" not in renamed.response.text
    empty = await owner.post("/settings/workspace", {"name": " "})
    assert (empty.status, empty.attribute("#f-name", "aria-invalid")) == (400, "true")

    seen = await viewer.get("/settings/workspace")
    assert str(house.workspace_id) in seen.text
    assert seen.attribute("main form input[name=name]", "name") is None
    assert (await viewer.post("/settings/workspace", {"name": "Mine"})).status == 403
    assert (await viewer.get("/settings/workspace")).all(".card h2") == [HOSTILE]


async def test_switching_leads_to_the_other_workspace_and_says_so(house: House, new_house: NewHouse) -> None:
    visitor, other = await new_visitor(house, Role.VIEWER), await new_house()
    await joined(other, visitor)
    await visitor.browser.get("/settings")

    seen = await visitor.browser.post("/workspace", {"workspaceId": str(other.workspace_id)})

    assert "Switched to Test." in seen.all(".toast__text")
    assert visitor.id in await members_of(other)
    assert str(other.workspace_id) in (await visitor.browser.get("/settings/workspace")).text


async def test_a_page_writes_as_the_browser_s_region_and_time_zone_do(house: House, owner: Browser) -> None:
    await owner.get("/settings/api-keys")
    key = await owner.post("/settings/api-keys", {"name": "CRM", "scopes": "leads:read", "days": ""})
    assert key.status == 201

    here = (await owner.get("/settings/api-keys")).attribute("#keys-list time", "title") or ""
    owner.headers["Accept-Language"] = "de-DE"
    owner.client.cookies.set(TIME_ZONE, "Asia%2FTokyo", domain="leadflood.test", path="/")
    there = (await owner.get("/settings/api-keys")).attribute("#keys-list time", "title") or ""

    assert re.fullmatch(r"[A-Z][a-z]{2} \d{1,2}, \d{4}, \d{1,2}:\d\d:\d\d\s[AP]M UTC", here), here
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2,3} \d{4}, \d\d:\d\d:\d\d JST", there), there


async def test_what_the_profile_says_wins_and_blank_follows_the_browser_again(house: House, owner: Browser) -> None:
    owner.headers["Accept-Language"] = "de-DE"
    shown = await owner.get("/settings")
    assert shown.attribute("select[name=locale] option[selected]", "value") == ""
    assert shown.all("select[name=locale] option[selected]") == ["Automatic (Germany)"]

    await owner.post("/settings", {"name": "Ada", "timeZone": "UTC", "locale": "en-US"})
    chosen = await owner.get("/settings")
    stored = await profile_of(owner, house)
    await owner.post("/settings", {"name": "Ada", "timeZone": "", "locale": ""})
    blank = await profile_of(owner, house)

    assert (stored.time_zone, stored.locale) == ("UTC", "en-US")
    assert chosen.attribute("html", "data-region") == "en-US"
    assert ("2.273,5" in shown.text, "2,273.5" in chosen.text) == (True, True)
    assert (blank.time_zone, blank.locale) == ("auto", "auto")


@pytest.mark.parametrize("locale", ["tlh", "de_DE", "x" * 100, "<b>"])
async def test_a_region_that_nobody_knows_is_refused(house: House, owner: Browser, locale: str) -> None:
    await owner.get("/settings")

    seen = await owner.post("/settings", {"name": "Ada", "timeZone": "", "locale": locale})

    assert (seen.status, "Unknown locale" in seen.text) == (400, True)
    assert (await profile_of(owner, house)).locale == "auto"
