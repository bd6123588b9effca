"""The documentation in the application: rendered, linked among itself, and safe."""

import re

from leadflood.web.documents import PAGES, document, documents
from tests.integration.web.conftest import House, house, new_house, pages_parts, site_parts, viewer
from tests.support.web import Browser

__all__ = ["House", "house", "new_house", "pages_parts", "site_parts", "viewer"]


def test_every_document_is_rendered_and_its_links_lead_somewhere() -> None:
    found = {each.page: str(each.html) for each in documents()}

    assert set(found) == set(PAGES)
    for page, html in found.items():
        assert "<script" not in html
        for target, anchor in re.findall(r'href="/help/([a-z-]+)(?:#([^"]*))?"', html):
            assert target in PAGES, (page, target)
            assert not anchor or f'id="{anchor}"' in found[target], (page, target, anchor)
        assert not re.findall(r'href="(?!/help/|https?://|#|/docs)[^"]*"', html), page
    assert document("nothing") is None


async def test_help_lists_documents_and_shows_one(viewer: Browser) -> None:
    listed, shown = await viewer.get("/help"), await viewer.get("/help/organize-leads")
    missing = await viewer.get("/help/..%2fsecret")

    assert "Import leads" in listed.text
    assert shown.all("h1") == ["Organize leads with stages, tags, lists, notes and tasks"]
    assert shown.all(".prose h2")
    assert (shown.status, missing.status) == (200, 404)
