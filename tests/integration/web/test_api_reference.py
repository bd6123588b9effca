"""The API reference: every operation once, with its details, for everyone and from our own origin alone."""

import gzip
import re

import httpx

from tests.integration.web.conftest import House
from tests.support.openapi import operations
from tests.support.web import Browser

PAGE_BYTES = 30_000
"""Maximum bytes of a page beside styles, script and fonts."""


async def test_every_operation_is_in_the_list_and_described_on_the_page_of_its_group(stranger: Browser) -> None:
    listed = await stranger.get("/docs")
    links = {node.attributes["href"] or "" for node in listed.html.css(".operations a")}
    described: list[str] = []
    for page in sorted({link.partition("#")[0] for link in links}):
        seen = await stranger.get(page)
        described += [f"{page}#{node.attributes['id']}" for node in seen.html.css("article")]
        assert len(gzip.compress(seen.response.content)) < PAGE_BYTES, page
        assert re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|(?:src|href)=\"https?:", seen.response.text) == []

    assert sorted(described) == sorted(links)
    assert {link.partition("#")[2] for link in links} == {operation.name for operation in operations()}


async def test_an_operation_says_what_it_takes_and_returns(stranger: Browser) -> None:
    seen = await stranger.get("/docs/leads")
    (create,) = seen.html.css("#createLead")
    text = " ".join(create.text(separator=" ").split())

    assert "Requires the permission leads:write ." in text
    assert "email required" in text
    assert '-H "Authorization: Bearer $KEY"' in text
    assert "409 Conflict with the current state" in text
    (listed,) = seen.html.css("#listLeads")
    assert "nextCursor" in listed.text()
    assert "createdAt | -createdAt" in " ".join(listed.text().split())


async def test_operations_are_found_by_any_of_their_words(stranger: Browser, owner: Browser) -> None:
    found = await stranger.get("/docs?q=KEPT-leads+changesets")
    nothing = await owner.get("/docs?q=teapot")

    assert found.all(".operations code") == ["/v1/changesets/{id}/kept-leads"]
    assert "No operations found" in nothing.text
    assert (await stranger.get("/docs/teapots")).status == 404


async def test_the_policy_allows_nothing_foreign(house: House, stranger: Browser) -> None:
    page: httpx.Response = (await stranger.get("/docs")).response

    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "//" not in page.headers["Content-Security-Policy"]
