"""The pages in this process, asked as a browser asks: cookies, forms with their token, redirects, parts for htmx."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from selectolax.lexbor import LexborHTMLParser as Html
from starlette.types import ASGIApp

from leadflood.api.app import create_app
from leadflood.api.context import ApiContext
from leadflood.bootstrap import AUDIT, HOME, NAVIGATION, TEMPLATES, TIMELINE, page_modules
from leadflood.kernel.db.change_subscriber import ChangeSubscriber
from leadflood.kernel.rate_limit import RateLimiter
from leadflood.web.app import WebContext, create_web
from leadflood.web.assets import Assets
from leadflood.web.cookies import SESSION
from leadflood.web.live_streams import LiveStreams
from leadflood.web.render_cache import RenderCache
from leadflood.web.templating import Templates

ORIGIN = "https://leadflood.test"

Fields = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Seen:
    """An answer as a person sees it."""

    response: httpx.Response
    html: Html

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    @property
    def path(self) -> str:
        """Path of the current page."""
        return self.response.url.path

    @property
    def text(self) -> str:
        """All text of the page, with single spaces."""
        body = self.html.body
        return " ".join((body.text(separator=" ") if body else "").split())

    def all(self, selector: str) -> list[str]:
        """The texts of all elements that a CSS selector finds."""
        return [" ".join(node.text(separator=" ").split()) for node in self.html.css(selector)]

    def attribute(self, selector: str, name: str) -> str | None:
        """An attribute of the first element that a CSS selector finds."""
        node = self.html.css_first(selector)
        return node.attributes.get(name) if node else None


@dataclass
class Browser:
    """Somebody's browser: keeps cookies and the token of the page it saw last."""

    client: httpx.AsyncClient
    token: str = ""
    workspace_id: UUID | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **headers: str) -> Seen:
        """Follow a link, and the redirects it leads to."""
        return self._see(await self.client.get(path, headers=self._headers(headers), follow_redirects=True))

    async def part(self, path: str, target: str) -> Seen:
        """Ask for the part of a page that htmx would put into the element `target`."""
        headers = {"HX-Request": "true", "HX-Target": target}
        return self._see(await self.client.get(path, headers=headers))

    async def post(self, path: str, fields: Fields | None = None, *, follow: bool = True, **headers: str) -> Seen:
        """Send a form of the page seen last."""
        form: dict[str, Any] = {"csrf": self.token, **(fields or {})}
        sent = {"Origin": ORIGIN, **self._headers(headers)}
        return self._see(await self.client.post(path, data=form, headers=sent, follow_redirects=follow))

    async def post_part(self, path: str, target: str, fields: Fields) -> Seen:
        """Send a form as htmx does, for the part of the page in the element `target`."""
        return await self.post(path, fields, hx_request="true", hx_target=target)

    async def sign_in(self, email: str, password: str) -> Seen:
        """Sign in through the form."""
        await self.get("/sign-in")
        return await self.post("/sign-in", {"email": email, "password": password})

    def enter(self, token: str) -> None:
        """Take over a session."""
        self.client.cookies.set(SESSION, token, domain="leadflood.test", path="/")

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}

    def _see(self, response: httpx.Response) -> Seen:
        seen = Seen(response, Html(response.text))
        self.token = seen.attribute("meta[name=csrf-token]", "content") or self.token
        return seen


def web_parts(parts: ApiContext, url: str, **changes: Any) -> WebContext:  # noqa: ANN401  any part
    """The parts of the pages beside an API. `url`: of the database, to hear of changes."""
    assets = Assets.load(reload=False)
    heard = ChangeSubscriber(url, application_name="tests pages")
    chosen: dict[str, Any] = {
        "pages": page_modules(),
        "navigation": NAVIGATION,
        "timeline": TIMELINE,
        "home": HOME,
        "audit": AUDIT,
        "settings": parts.settings,
        "database": parts.database,
        "registry": parts.registry,
        "secret_box": parts.secret_box,
        "cursors": parts.cursors,
        "sandbox": parts.sandbox,
        "participants": parts.participants,
        "changes": heard,
        "renders": RenderCache(heard),
        "streams": LiveStreams(parts.settings),
        "hold": parts.hold,
        "assets": assets,
        "views": Templates(assets, TEMPLATES, reload=False),
        "closing": asyncio.Event(),
        "page_limiter": RateLimiter(100_000, name="pages", subject="session"),
        "strangers": parts.strangers,
        "body_budget": parts.body_budget,
    }
    return WebContext(**{**chosen, **changes})


def site(parts: ApiContext, web: WebContext) -> ASGIApp:
    """API and pages, as they are served together."""
    return create_app(parts, pages=create_web(web))


@asynccontextmanager
async def browser_of(app: ASGIApp, **options: Any) -> AsyncIterator[Browser]:  # noqa: ANN401  of the transport
    """A browser without cookies."""
    transport = httpx.ASGITransport(app=app, **options)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield Browser(client)
