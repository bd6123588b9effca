"""Pages in a real Chromium. Whatever a person would see as broken, or never see at all, fails the test.

    async def test_something_is_seen(windows: Windows) -> None:
        page = await windows.open(url)
        await page.goto("/leads")

At the end of the test every window must have been free of script errors, of violations of the page's policy, of
requests to other hosts and of answers 5xx. After a failure each one's screenshot, HTML and console are in
`test-results/<test>/`.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    async_playwright,
    expect,
)
from playwright.async_api import Error as PlaywrightError

from leadflood.web.cookies import SESSION

RESULTS = Path(__file__).resolve().parents[2] / "test-results"
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--no-first-run",
)
"""Nothing that reaches out by itself, and the same pixels everywhere."""
PATIENCE_MS = 30_000
"""After which something counts as never coming: to fail instead of hanging, not to measure."""
DESKTOP = ViewportSize(width=1280, height=800)

# Chromium and htmx report every answer with 4xx as an error, and pages answer wrong input with 4xx on purpose.
_REFUSED = re.compile(
    r"Failed to load resource: the server responded with a status of 4\d\d|Response Status Error Code 4"
)
_POLICY = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Against the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))
"""
_TOASTS_STAY = """
document.addEventListener("DOMContentLoaded", () =>
  document.documentElement.style.setProperty("--toast-life", "1h"))
"""
"""On a busy machine a test may need longer than a toast usually lives."""
_FAILED: pytest.StashKey[bool] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the fixtures of a test whether it failed. A conftest whose tests use windows imports this, too."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


def program() -> str:
    """The browser that CHROMIUM names, or the one on PATH; without one the test fails."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.fail("No Chromium is on PATH. `./test` installs it; or name one by CHROMIUM=/path/to/chrome.")
    return found


def arguments() -> list[str]:
    """The arguments of the browser; its sandbox refuses to run as root."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser of this test process."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program(), args=arguments())
        yield browser
        await browser.close()


class Windows:
    """The browser windows of one test, each with cookies of its own, and all that went wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self.faults: list[str] = []
        self._browser = browser
        self._opened: list[tuple[BrowserContext, list[str]]] = []
        self._excused: list[str] = []

    async def open(self, url: str, *, session: str | None = None, **options: Any) -> Page:  # noqa: ANN401  of a Playwright context
        """A window of somebody who comes to `url` for the first time; paths are relative to it.

        Args: session: the token of a session, for somebody who has signed in.
        """
        shown = {"base_url": url, "viewport": DESKTOP, "reduced_motion": "reduce", "service_workers": "block"} | options
        context = await self._browser.new_context(**shown)
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(_POLICY)
        await context.add_init_script(_TOASTS_STAY)
        console: list[str] = []
        self._opened.append((context, console))
        origin = urlsplit(url)[:2]

        def said(message: ConsoleMessage) -> None:
            console.append(f"{message.type}: {message.text}")
            if message.type == "error" and not _REFUSED.match(message.text):
                self._blame(f"console: {message.text} ({message.location['url']})")

        def asked(request: Request) -> None:
            scheme, host, *_ = urlsplit(request.url)
            if (scheme, host) != origin and scheme not in {"data", "blob"}:
                self._blame(f"request to another host: {request.url}")

        def answered(response: Response) -> None:
            if response.status >= 500:
                self._blame(f"{response.status}: {response.request.method} {response.url}")

        context.on("console", said)
        context.on("weberror", lambda error: self._blame(f"script error: {error.error}"))
        context.on("request", asked)
        context.on("response", answered)
        if session is not None:
            # Secure as the server sets it, which Chromium takes from loopback, and Playwright from https alone.
            cookie = {"name": SESSION, "value": session, "url": url.replace("http:", "https:"), "secure": True}
            await context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Lax"}])  # type: ignore[typeddict-item]
        return await context.new_page()

    def excuse(self, text: str) -> None:
        """Faults with this text in them are the test's own doing."""
        self._excused.append(text)
        self.faults = [fault for fault in self.faults if text not in fault]

    def _blame(self, fault: str) -> None:
        if not any(text in fault for text in self._excused):
            self.faults.append(fault)

    async def keep_evidence(self, folder: Path) -> None:
        """Save a screenshot and the HTML of each page, and the console output."""
        _empty(folder)
        for number, (context, console) in enumerate(self._opened, 1):
            (folder / f"{number}-console.txt").write_text("\n".join(console), encoding="utf-8")
            for page in context.pages:
                try:
                    (folder / f"{number}.html").write_text(await page.content(), encoding="utf-8")
                    await page.screenshot(path=folder / f"{number}.png", full_page=True)
                except PlaywrightError as error:
                    (folder / f"{number}-lost.txt").write_text(str(error), encoding="utf-8")

    async def close(self) -> None:
        """Close all windows."""
        for context, _ in self._opened:
            await context.close()


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@pytest.fixture
async def windows(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Windows]:
    """Opens windows for the test, and judges them at its end."""
    opened = Windows(chromium)
    try:
        async with judged(opened, request):
            yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def judged(opened: Windows, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Fail a test in which something went wrong in these windows, and keep the evidence of a failure."""
    opened.faults = []
    yield
    failed = request.node.stash.get(_FAILED, False)
    if failed or opened.faults:
        folder = RESULTS / re.sub(r"\W+", "-", request.node.nodeid).strip("-")
        await opened.keep_evidence(folder)
        print(f"Screenshot, HTML and console: {folder}", *opened.faults, sep="\n")  # noqa: T201  pytest shows it
    if not failed:
        assert opened.faults == []
