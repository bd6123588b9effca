"""The documentation page comes from our own origin alone, under a strict policy."""

import re

import httpx


async def test_the_page_needs_no_inline_code_and_no_foreign_origin(toys: httpx.AsyncClient) -> None:
    page = await toys.get("/docs")

    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "//" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|style=|https?://", page.text) == []


async def test_all_its_assets_are_served_with_their_type_for_a_year(toys: httpx.AsyncClient) -> None:
    page = await toys.get("/docs")
    links = re.findall(r'(?:src|href)="(/docs/assets/[^"]+)"', page.text)

    types = {}
    for link in links:
        asset = await toys.get(link)
        assert asset.status_code == 200
        assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        types[link.rpartition(".")[2]] = asset.headers["Content-Type"]
    assert types == {"png": "image/png", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


async def test_there_are_no_other_assets(toys: httpx.AsyncClient) -> None:
    for name in ("", "swagger-ui.css", "..%2f__init__.py", "%2e%2e"):
        assert (await toys.get(f"/docs/assets/{name}")).status_code == 404
