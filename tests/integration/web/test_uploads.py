"""Files that come in from a browser: only with the token of our page before them, and nothing is left of a bad one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import pytest
from starlette.types import ASGIApp, Message, Scope

from leadflood.domains.imports import queries
from leadflood.domains.imports.contracts import ImportView
from tests.integration.web.conftest import House
from tests.support.web import ORIGIN, Browser, Seen, browser_of, site

BOUNDARY = "----boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
FILE = b"email,first name\nada@acme.com,Ada\n"
LARGE = 3 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One part of a form with a file."""

    name: str
    content: bytes
    filename: str | None = None
    more: str = ""

    def encoded(self) -> bytes:
        """Form data encoded as browsers do."""
        file = f'; filename="{self.filename}"\r\nContent-Type: text/csv' if self.filename is not None else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{self.name}"{file}\r\n{self.more}\r\n'
        return head.encode() + self.content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def body_of(parts: Sequence[Part]) -> bytes:
    return b"".join(part.encoded() for part in parts) + END


def form(browser: Browser, content: bytes = FILE, filename: str = "leads.csv") -> list[Part]:
    return [Part("csrf", browser.token.encode()), Part("file", content, filename)]


async def send(browser: Browser, body: bytes | AsyncIterator[bytes], **headers: str) -> Seen:
    """Send a form with a file as a browser does that follows where it is led."""
    sent = {
        "Content-Type": MULTIPART,
        "Origin": ORIGIN,
        **{key.replace("_", "-"): value for key, value in headers.items()},
    }
    answer = await browser.client.post("/imports", content=body, headers=sent, follow_redirects=True)
    return browser._see(answer)


async def imports_of(house: House) -> Sequence[ImportView]:
    """Stored imports, including partial uploads."""
    async with house.parts.database.transaction(house.workspace_id, read_only=True) as tx:
        return (await queries.list_imports(tx, house.actor, limit=100)).items


@pytest.fixture
async def uploader(owner: Browser) -> Browser:
    """Somebody with the page for uploads before them."""
    await owner.get("/imports/new")
    return owner


async def test_a_file_is_stored_and_leads_to_its_columns(house: House, uploader: Browser) -> None:
    seen = await send(uploader, body_of(form(uploader, filename="C:\\fakepath\\Größe %22x%22.csv")))

    (stored,) = await imports_of(house)
    assert (seen.status, seen.path) == (200, f"/imports/{stored.id}")
    assert (stored.filename, stored.size_bytes) == ("Größe %22x%22.csv", len(FILE))
    assert seen.all(".import__columns tbody th") == ["email", "first name"]


async def test_with_scripts_the_token_may_be_a_header_and_the_answer_says_where_to_go(
    house: House, uploader: Browser
) -> None:
    body = body_of([Part("file", FILE, "leads.csv")])
    seen = await send(uploader, body, X_CSRF_Token=uploader.token, HX_Request="true", HX_Target="upload")

    (stored,) = await imports_of(house)
    assert (seen.status, seen.response.headers["HX-Redirect"]) == (204, f"/imports/{stored.id}")


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
async def test_it_does_not_matter_in_which_pieces_a_file_comes(house: House, uploader: Browser, size: int) -> None:
    content = FILE + b"".join(
        b"a%d@acme.com,\r\n--%s\r\n" % (item, BOUNDARY[: item % 12].encode()) for item in range(40)
    )
    body = body_of(form(uploader, content))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    assert (await send(uploader, pieces())).status == 200
    (stored,) = await imports_of(house)
    assert stored.size_bytes == len(content)


@pytest.mark.parametrize(
    ("case", "status", "told"),
    [
        ("nothing", 400, "No file selected. Select a CSV or XLSX file."),
        ("no file chosen", 400, "No file selected."),
        ("empty", 400, "This file is empty."),
        ("not a table", 400, "isn't a text file"),
        ("another token", 403, "Your session expired."),
        ("no token", 403, "Your session expired."),
        ("token after the file", 403, "Your session expired."),
        ("two files", 400, "one file at a time"),
        ("field after the file", 400, "one file at a time"),
        ("huge header", 400, "cannot be read"),
        ("many headers", 400, "cannot be read"),
        ("huge field", 413, "too much before the file"),
        ("cut off", 400, "Only a part of the file arrived"),
        ("cut off before the file", 400, "Only a part of the file arrived"),
        ("more after the end", 400, "cannot be read"),
        ("no form at all", 400, "cannot be read"),
    ],
)
async def test_what_is_no_good_is_refused_with_the_reason_and_nothing_is_left(
    house: House, uploader: Browser, case: str, status: int, told: str
) -> None:
    token, file = form(uploader)
    whole = body_of([token, file])

    async def trailing() -> AsyncIterator[bytes]:
        yield whole
        yield b"more"

    body: bytes | AsyncIterator[bytes] = {
        "nothing": body_of([token]),
        "no file chosen": body_of([token, replace(file, filename="", content=b"")]),
        "empty": body_of([token, replace(file, content=b"")]),
        "not a table": body_of([token, replace(file, content=bytes(5000))]),
        "another token": body_of([replace(token, content=b"A" * 44), file]),
        "no token": body_of([file]),
        "token after the file": body_of([file, token]),
        "two files": body_of([token, file, file]),
        "field after the file": body_of([token, file, Part("more", b"x")]),
        "huge header": body_of([token, replace(file, more=f"X-More: {'x' * 50_000}\r\n")]),
        "many headers": body_of([token, replace(file, more="X-More: x\r\n" * 50)]),
        "huge field": body_of([token, Part("more", b"x" * 100_000), file]),
        "cut off": whole[: -len(END) - 10],
        "cut off before the file": token.encoded(),
        "no form at all": FILE,
    }.get(case, trailing())
    seen = await send(uploader, body)

    assert (seen.status, told in seen.text) == (status, True), seen.text
    assert await imports_of(house) == []


async def test_what_is_wrong_is_told_beside_the_field_also_where_only_a_part_is_asked_for(uploader: Browser) -> None:
    seen = await send(uploader, body_of(form(uploader, b"")), HX_Request="true", HX_Target="upload")

    assert (seen.status, seen.html.css_first("#upload #f-file[aria-invalid]") is not None) == (400, True)
    assert "This file is empty." in seen.all("#f-file-error")[0]
    assert "<html" not in seen.response.text


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/csv", 415),
        ("multipart/form-data", 415),
        (f"multipart/form-data; boundary={'x' * 500}", 400),
        ("application/x-www-form-urlencoded", 400),
    ],
)
async def test_another_type_of_body_is_refused(house: House, uploader: Browser, content_type: str, status: int) -> None:
    urlencoded = content_type.endswith("urlencoded")
    body = f"csrf={uploader.token}".encode() if urlencoded else body_of(form(uploader))

    assert (await send(uploader, body, Content_Type=content_type)).status == status
    assert await imports_of(house) == []


async def test_a_form_with_a_file_is_taken_nowhere_else(house: House, uploader: Browser) -> None:
    headers = {"Content-Type": MULTIPART, "Origin": ORIGIN, "X-CSRF-Token": uploader.token}
    assert (await uploader.client.post("/leads", content=body_of(form(uploader)), headers=headers)).status_code == 415


async def test_a_file_of_another_site_or_of_nobody_or_of_who_may_only_look_is_not_stored(
    house: House, uploader: Browser, viewer: Browser, stranger: Browser
) -> None:
    await viewer.get("/imports")
    await stranger.get("/sign-in")

    assert "another site" in (await send(uploader, body_of(form(uploader)), Origin="https://evil.test")).text
    assert (await send(viewer, body_of(form(viewer)))).status == 403
    assert (await send(stranger, body_of(form(stranger)))).path == "/sign-in"
    assert await imports_of(house) == []


async def test_a_file_that_says_it_is_too_large_is_refused_before_it_comes(house: House, owner: Browser) -> None:
    settings = house.web.settings.model_copy(update={"max_import_bytes": LARGE})
    app = site(house.parts, replace(house.web, settings=settings))
    came = 0

    async with browser_of(app) as browser:
        browser.client.cookies = owner.client.cookies
        await browser.get("/imports/new")
        token, file = form(browser, b"x" * LARGE * 2)

        async def pieces() -> AsyncIterator[bytes]:
            nonlocal came
            body = body_of([token, file])
            for start in range(0, len(body), 10_000):
                came = start
                yield body[start : start + 10_000]

        declared = await send(browser, pieces(), Content_Length=str(len(file.content) + 1000))
        assert (declared.status, came < 20_000) == (413, True)
        assert f"File is too large (max {LARGE:,} bytes)." in declared.text
        silent = await send(browser, pieces())
        assert (silent.status, came < LARGE + 100_000) == (413, True)
    assert await imports_of(house) == []


async def test_a_browser_that_goes_away_or_falls_silent_leaves_nothing_behind(house: House, owner: Browser) -> None:
    app = site(house.parts, replace(house.web, body_timeout=0.2))
    await owner.get("/imports/new")
    begun = b"".join(part.encoded() for part in form(owner, b"email\n" + b"a@b.example\n" * 200_000))

    for ending in ([{"type": "http.disconnect"}], []):
        status = await _ask(app, owner, [{"type": "http.request", "body": begun, "more_body": True}, *ending])
        assert status == 408
    assert await imports_of(house) == []


async def _ask(app: ASGIApp, browser: Browser, messages: list[Message]) -> int:
    """A request whose body is these messages, and after them silence. Returns the status of the answer."""
    cookies = "; ".join(f"{item.name}={item.value}" for item in browser.client.cookies.jar)
    headers = {"host": "leadflood.test", "origin": ORIGIN, "content-type": MULTIPART, "cookie": cookies}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/imports",
        "raw_path": b"/imports",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("leadflood.test", 443),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0) if messages else await asyncio.Future()

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    return int(sent[0]["status"])
