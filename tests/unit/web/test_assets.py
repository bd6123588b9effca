"""Files of the build are served by their hashed names, for good, and nothing else is."""

import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from leadflood.web.assets import Assets, FrontEndNotBuilt, UnknownAsset

CSS, BROTLI, GZIP = b"body{color:red}", b"as brotli", b"as gzip"
Build = Callable[[str], None]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Puts a build into tmp_path whose stylesheet has this hash."""

    def write(version: str) -> None:
        file = f"app.{version}.css"
        for suffix, content in (("", CSS), (".br", BROTLI), (".gz", GZIP)):
            (tmp_path / (file + suffix)).write_bytes(content)
        (tmp_path / "inter.F0.woff2").write_bytes(b"font")
        (tmp_path / "private.txt").write_text("not in the manifest", encoding="utf-8")
        files = {
            "app.css": {"file": file, "bytes": 15, "gzip": 7, "brotli": 9},
            "inter.woff2": {"file": "inter.F0.woff2", "bytes": 4, "gzip": 0, "brotli": 0},
        }
        manifest = tmp_path / "manifest.json"
        before = manifest.stat().st_mtime_ns if manifest.exists() else 0
        manifest.write_text(json.dumps({"files": files, "icons": {"x": "<path/>"}}), encoding="utf-8")
        os.utime(manifest, ns=(before + 1_000_000, before + 1_000_000))  # two builds within one tick of the clock

    return write


@pytest.fixture
def assets(tmp_path: Path, build: Build) -> Assets:
    build("A1")
    return Assets.load(tmp_path)


@pytest.fixture
async def client(assets: Assets) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/static/{name}", assets.serve, methods=["GET"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        yield client


async def test_a_file_is_kept_for_a_year_under_the_name_that_carries_its_hash(
    assets: Assets, client: httpx.AsyncClient
) -> None:
    assert assets.url("app.css") == "/static/app.A1.css"

    answer = await client.get(assets.url("app.css"), headers={"Accept-Encoding": "identity"})

    assert (answer.status_code, answer.content) == (200, CSS)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["content-length"] == str(len(CSS))


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", BROTLI),
        ("GZIP;q=0.5, Br;q=0.1", "br", BROTLI),
        ("gzip", "gzip", GZIP),
        ("br;q=0, gzip", "gzip", GZIP),
        ("br; q=0.000, gzip;q=0", None, CSS),
        ("", None, CSS),
        ("bro, x-gzip, 💥, ;;q", None, CSS),
    ],
)
async def test_the_best_form_that_the_client_accepts_is_sent(
    assets: Assets, client: httpx.AsyncClient, accepted: str, coding: str | None, body: bytes
) -> None:
    request = client.build_request("GET", assets.url("app.css"), headers=[(b"Accept-Encoding", accepted.encode())])
    answer = await client.send(request, stream=True)

    assert b"".join([item async for item in answer.aiter_raw()]) == body
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_what_does_not_compress_is_sent_as_it_is(assets: Assets, client: httpx.AsyncClient) -> None:
    answer = await client.get(assets.url("inter.woff2"))

    assert (answer.content, answer.headers["content-type"]) == (b"font", "font/woff2")
    assert "content-encoding" not in answer.headers


async def test_a_client_that_has_the_file_gets_no_body_and_each_form_has_its_own_tag(
    assets: Assets, client: httpx.AsyncClient
) -> None:
    url = assets.url("app.css")
    plain = await client.head(url, headers={"Accept-Encoding": "identity"})
    packed = await client.head(url, headers={"Accept-Encoding": "br"})
    again = await client.get(
        url, headers={"Accept-Encoding": "br", "If-None-Match": f'"x", W/{packed.headers["etag"]}'}
    )
    other = await client.head(url, headers={"Accept-Encoding": "gzip", "If-None-Match": plain.headers["etag"]})

    assert (plain.status_code, plain.content, plain.headers["content-length"]) == (200, b"", str(len(CSS)))
    assert plain.headers["etag"] != packed.headers["etag"]
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", packed.headers["etag"])
    assert other.status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "app.css",
        "app.A1.css.br",
        "manifest.json",
        "private.txt",
        "../manifest.json",
        "..%2Fprivate.txt",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/etc/passwd",
        "app.A1.css%00",
        "%F0%9F%92%A5",
        "",
    ],
)
async def test_what_is_not_in_the_manifest_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/static/{name}")

    assert answer.status_code == 404
    assert "max-age" not in answer.headers.get("cache-control", "")


def test_an_unknown_name_in_a_template_is_an_error_that_says_what_to_do(assets: Assets) -> None:
    assert assets.icon("x") == "<path/>"
    with pytest.raises(UnknownAsset, match=r"icons\.txt"):
        assets.icon("y")
    with pytest.raises(UnknownAsset, match=r"app\.css, inter\.woff2"):
        assets.url("app.js")


@pytest.mark.parametrize("missing", ["manifest.json", "app.A1.css", "app.A1.css.br"])
def test_a_build_that_is_not_all_there_says_how_to_repair_it(tmp_path: Path, build: Build, missing: str) -> None:
    build("A1")
    (tmp_path / missing).unlink()

    with pytest.raises(FrontEndNotBuilt, match="uv sync --reinstall-package leadflood") as caught:
        Assets.load(tmp_path)
    assert missing in caught.value.detail


async def test_a_new_build_is_seen_only_where_that_was_asked_for_and_old_pages_keep_their_files(
    tmp_path: Path, build: Build
) -> None:
    build("A1")
    steady, reloading = Assets.load(tmp_path), Assets.load(tmp_path, reload=True)
    build("B2")

    assert steady.url("app.css") == "/static/app.A1.css"
    assert reloading.url("app.css") == "/static/app.B2.css"
    app = Starlette(routes=[Route("/static/{name}", reloading.serve)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        answers = [await client.head(f"/static/app.{version}.css") for version in ("A1", "B2")]
    assert [answer.status_code for answer in answers] == [200, 200]
