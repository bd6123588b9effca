"""Cursors with a good seal whose value does not fit the list, as an older release that sorted otherwise wrote them.

Every list of the API and of the pages is met: a new one that trusts the value of a position fails here.
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from uuid import UUID

import httpx
import pytest

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.bootstrap import page_modules
from leadflood.domains.identity.contracts import MembershipView
from leadflood.domains.identity.models import Client
from leadflood.domains.identity.service import sessions
from leadflood.domains.leads.contracts.filters import LeadSort
from leadflood.kernel.actor import Role
from leadflood.kernel.crypto import SecretBox
from leadflood.kernel.pagination import Cursors, Position
from tests.support.openapi import Operation, operations
from tests.support.tenants import Tenant, bearer
from tests.support.web import Browser, browser_of, site, web_parts

TIME = "2026-03-01T09:30:00+00:00"
ID = "01a20cea-5381-748a-addb-40fbb2840703"
VALUES: list[object] = [
    "",
    "a@acme.com",
    TIME,
    "2026-03-01T09:30:00",
    "0001-01-01T00:00:00+23:59",
    "98",
    "-1",
    "9" * 10,
    "9" * 40,
    f"new {TIME}",
    "new 0001-01-01T00:00:00+23:59",
    "=acme",
    "=98",
    f"98 1 {TIME}",
    f"{'9' * 40} 1 {TIME}",
    f"98 {'9' * 40} {TIME}",
    "98 1 2026-03-01T09:30:00",
    "٣",
    ID,
    "\x00",
    "\ud800",
    None,
    7,
    [],
]
"""Possible cursor values of the sort column."""

TEXTS = [value for value in VALUES if isinstance(value, str) and value not in {"\0", "\ud800"}]
"""Those that PostgreSQL can compare with text."""
THEN_CREATED = [f"new {TIME}"]
FOLDED = ["", "=acme", "=98"]
FITS = {
    "email_norm": TEXTS,
    "status": THEN_CREATED,
    "source": THEN_CREATED,
    "name": FOLDED,
    "company": FOLDED,
    "job_title": FOLDED,
    "stage": FOLDED,
    "score": ["", "=98"],
    "engagement": ["", "=98"],
}
"""Valid `VALUES` of the sort orders of leads; the other orders use a time."""
NOWHERE = UUID(int=0)
IDS = (ID, str(UUID(int=2**128 - 1)))
LISTS = [operation for operation in operations() if operation.takes_cursor]
FITTING = {
    "listLeads": [TIME],
    "listDeletedLeads": [TIME],
    "listAuditEvents": [TIME],
    "listLeadEvents": [ID],
    "listDuplicates": ["98"],
    "listImportRows": ["98"],
    "listIcpScores": ["98", "-1"],
    "listFieldHistory": ["98", "9" * 10],
    "listCompanyLeads": [TIME],
    "listCompanyEvents": [ID],
    "listTasks": [TIME],
    "listLeadTasks": THEN_CREATED,
    "listNotes": [TIME],
    "listOutcomes": [TIME],
    "listEngagements": [TIME],
}
"""The lists that are sorted by more than the id of their rows, and what they take of `VALUES`."""


class ForAnyList(Cursors):
    """Cursors that are tied to no list. Remembers where one was read."""

    def __init__(self, secret_box: SecretBox) -> None:
        super().__init__(secret_box)
        self.read_by: list[str] = []

    def read(self, cursor: str, workspace_id: UUID, scope: str) -> Position:
        self.read_by.append(scope)
        return super().read(cursor, NOWHERE, "")

    def holding(self, value: object, row_id: object) -> str:
        """A sealed cursor."""
        body = json.dumps([value, row_id]).encode()
        return urlsafe_b64encode(self._secret_box.encrypt(body, b"cursor" + NOWHERE.bytes)).decode().rstrip("=")


@pytest.fixture
def cursors(secret_box: SecretBox) -> ForAnyList:
    return ForAnyList(secret_box)


def pages(ours: Tenant) -> list[str]:
    """The address of every page, up to where another parameter of the query can be added."""
    paths = [rule.path for page_module in page_modules() for rule in page_module.rules if rule.method == "GET"]
    filled = [path.replace("{id}", str(ours.ids.get(path.split("/")[1], ours.workspace_id))) for path in paths]
    shown = ["/duplicates?show=merged&", "/duplicates?show=dismissed&", "/leads?sort=email&", "/leads?sort=updatedAt&"]
    return [*(f"{path}?" for path in filled), *shown]


async def enter(browser: Browser, parts: ApiContext, ours: Tenant) -> None:
    """Sign in as the owner."""
    here = MembershipView(id=ours.workspace_id, name="Test", role=Role.OWNER)
    async with parts.database.system() as tx:
        started = await sessions.start_browser(
            tx, parts.settings, user_id=ours.owner_id, workspace=here, client=Client()
        )
    browser.enter(started.token)


def refused(answer: httpx.Response) -> bool:
    """Whether a cursor was refused as every list refuses a bad one. Nothing else may be at fault."""
    assert answer.status_code in {200, 400}, answer.text
    if answer.status_code == 200:
        return False
    assert [(item["pointer"], item["code"]) for item in answer.json()["errors"]] == [("?cursor", "invalid_cursor")]
    return True


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_list_of_the_api_refuses_a_value_that_is_not_its_own(
    api_parts: ApiContext, cursors: ForAnyList, operation: Operation, ours: Tenant
) -> None:
    url = operation.request(ours.ids.get(operation.collection))["url"]
    taken: list[object] = []
    transport = httpx.ASGITransport(app=create_app(replace(api_parts, cursors=cursors)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer(ours.session)) as client:
        for value in VALUES:
            for row_id in IDS:
                answer = await client.get(url, params={"cursor": cursors.holding(value, row_id)})
                if not refused(answer):
                    taken.append(value)
        for number in (7, "x", None):
            assert refused(await client.get(url, params={"cursor": cursors.holding("98", number)}))

    fitting = FITTING.get(operation.name, TEXTS)
    assert taken == [value for value in fitting for _ in IDS]


async def test_each_order_of_leads_refuses_the_values_of_the_others(
    api_parts: ApiContext, cursors: ForAnyList, ours: Tenant
) -> None:
    transport = httpx.ASGITransport(app=create_app(replace(api_parts, cursors=cursors)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer(ours.session)) as client:
        for sort in LeadSort:
            for search in ({}, {"q": "ada"}):
                for value in VALUES:
                    given = {"cursor": cursors.holding(value, IDS[0]), "sort": sort.value, **search}
                    fits = value in FITS.get(sort.column, [TIME])
                    assert refused(await client.get("/v1/leads", params=given)) is not fits, (sort, search, value)


async def test_the_event_feed_refuses_a_value_that_is_not_its_own(
    api_parts: ApiContext, cursors: ForAnyList, ours: Tenant
) -> None:
    transport = httpx.ASGITransport(app=create_app(replace(api_parts, cursors=cursors)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer(ours.session)) as client:
        for value in VALUES:
            answer = await client.get("/v1/events", params={"after": cursors.holding(value, ID)})
            assert answer.status_code in {400, 410}, (value, answer.text)
            assert answer.json()["code"] in {"invalid_input", "cursor_expired"}, value


async def test_no_page_stumbles_over_a_value_that_is_not_its_own(
    api_parts: ApiContext, cursors: ForAnyList, ours: Tenant, application_url: str
) -> None:
    parts = replace(api_parts, cursors=cursors)
    web = web_parts(parts, application_url)
    refusing = set()
    async with browser_of(site(parts, web)) as browser:
        await enter(browser, parts, ours)
        for path in pages(ours):
            for value in VALUES:
                read_before = len(cursors.read_by)
                seen = await browser.get(f"{path}after={cursors.holding(value, IDS[1])}")
                assert seen.status < 500, (path, value, seen.text)
                if len(cursors.read_by) == read_before:
                    break  # the page has no list, so that another value says nothing more
                assert seen.status in {200, 400}, (path, value)
                refusing |= {path} if seen.status == 400 and value == "a@acme.com" else set()
    await web.changes.close()

    sections = {path.split("?")[0].split("/")[1] for path in refusing}
    assert sections == {"leads", "duplicates", "imports", "settings", "tasks"}
    assert len(set(cursors.read_by)) > 10
