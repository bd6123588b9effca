"""Context of a page: the request, the signed-in user, and helpers for pages."""

import functools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.requests import Request

from leadflood.domains.identity.contracts import BrowserSession, MembershipView, VisitorView
from leadflood.domains.identity.models import AUTOMATIC, Client
from leadflood.domains.identity.service import devices
from leadflood.kernel.actor import Actor, Permission
from leadflood.kernel.clock import utc_now
from leadflood.kernel.db.transaction import Transaction
from leadflood.kernel.errors import NotFound, Unauthenticated
from leadflood.kernel.pages import Navigation, NavItem
from leadflood.kernel.pagination import Page as PageOfRows
from leadflood.kernel.pagination import Position
from leadflood.kernel.request_context import request_context_of
from leadflood.web import formats
from leadflood.web.context import WebContext
from leadflood.web.cookies import (
    DEVICE,
    SESSION,
    VISITOR,
    Toast,
    browser_time_zone,
    csrf_token,
    drop_cookie,
    set_cookie,
)
from leadflood.web.form_parser import Upload
from leadflood.web.formats import Region
from leadflood.web.forms import Form
from leadflood.web.sidebar import Sidebar, current_below, is_current

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in user: the actor for verbs, and the person that pages show."""

    token: str
    actor: Actor
    person: VisitorView


@dataclass
class PageContext:
    """Input of a page.

    Attributes:
        anchor: the cookie that this browser's forms are bound to; empty when it has none yet.
        form: what was posted; empty for GET.
        upload: the file of the form, if the page accepts one and one was chosen.
        toasts: what the page before left to be said.
        cookies: Set-Cookie values that go with the answer.
        sidebar: counts of the navigation, and the items that are the user's own; empty until a page is rendered.
    """

    request: Request
    parts: WebContext
    caller: Caller | None
    anchor: str
    form: Form = field(default_factory=Form)
    upload: Upload | None = None
    toasts: list[Toast] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    sidebar: Sidebar = field(default_factory=Sidebar)

    @property
    def actor(self) -> Actor:
        """The actor. Raises: Unauthenticated."""
        return self._known.actor

    @property
    def user(self) -> VisitorView:
        """The signed-in user. Raises: Unauthenticated."""
        return self._known.person

    @property
    def workspace(self) -> MembershipView:
        """The workspace of this session. Raises: Unauthenticated."""
        return self._known.person.workspace

    @property
    def workspaces(self) -> list[MembershipView]:
        """All workspaces of the user. Raises: Unauthenticated."""
        return self._known.person.workspaces

    @property
    def signed_in(self) -> bool:
        """Whether a user is signed in."""
        return self.caller is not None

    def may(self, permission: str) -> bool:
        """Whether the caller has a permission: pages show and verbs allow things by it."""
        return self.caller is not None and Permission(permission) in self.caller.actor.permissions

    @property
    def navigation(self) -> Navigation:
        """All navigation items."""
        return self.parts.navigation

    def places(self, *items: NavItem) -> list[NavItem]:
        """Navigation items that exist in this installation and that the caller can access."""
        return [
            item
            for item in items
            if (not item.permission or self.may(item.permission)) and item.available(self.parts.settings)
        ]

    def below(self, item: NavItem) -> list[NavItem]:
        """The items below an item of the sidebar, the user's own last."""
        return [*self.places(*self.navigation.below(item)), *self.sidebar.own.get(item.href, ())]

    def is_current(self, item: NavItem) -> bool:
        """Whether this page belongs to an item of the sidebar."""
        return is_current(self.navigation, item, self.path)

    def current_below(self, items: Sequence[NavItem]) -> NavItem | None:
        """The one of the items below another that is this page."""
        return current_below(items, self.path, self.query)

    def at(self, path: str) -> "PageContext":
        """The same visitor on another page."""
        other = {"path": path, "raw_path": path.encode(), "query_string": b"", "path_params": {}}
        return PageContext(Request({**self.request.scope, **other}), self.parts, self.caller, self.anchor)

    @property
    def today(self) -> date:
        """Today, where the user is."""
        return utc_now().astimezone(self.time_zone).date()

    @functools.cached_property
    def csrf(self) -> str:
        """CSRF token of every form."""
        return csrf_token(self.parts.secret_box, self.anchor)

    @property
    def theme(self) -> str:
        """`light`, `dark` or `system`."""
        return self.caller.person.appearance if self.caller else "system"

    @functools.cached_property
    def region(self) -> Region:
        """Format of numbers, dates and times: from the profile, or else as the browser prefers."""
        stored = self.caller.person.locale if self.caller else AUTOMATIC
        accepted = self.request.headers.get("accept-language", "")
        return formats.region_of(stored if stored != AUTOMATIC else None, accepted)

    @functools.cached_property
    def time_zone(self) -> ZoneInfo:
        """Time zone of all times shown: from the profile, or else the browser's."""
        stored = self.caller.person.time_zone if self.caller else AUTOMATIC
        return ZoneInfo(stored if stored != AUTOMATIC else browser_time_zone(self.request.cookies) or "UTC")

    @functools.cached_property
    def now(self) -> datetime:
        """The time that relative times refer to."""
        return utc_now()

    @property
    def command_key(self) -> str:
        """The modifier key that opens the command menu together with K."""
        return "⌘" if "Mac OS" in self.request.headers.get("user-agent", "") else "Ctrl"

    @property
    def live(self) -> bool:
        """Whether only the live blocks of the page are rendered."""
        return False

    @property
    def path(self) -> str:
        """The requested path, without its query."""
        return self.request.url.path

    @property
    def address(self) -> str:
        """The requested path with its query: the URL of the page and its stream."""
        query = self.request.url.query
        return self.path + (f"?{query}" if query else "")

    def address_without(self, name: str) -> str:
        """The same without a parameter of the query."""
        kept = [(key, value) for key, value in self.request.query_params.multi_items() if key != name]
        return self.path + (f"?{urlencode(kept)}" if kept else "")

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters; the last of repeated ones."""
        return self.request.query_params

    @property
    def trace(self) -> Mapping[str, str]:
        """Trace context stored with the jobs that this request enqueues."""
        return request_context_of(self.request.scope).trace

    @property
    def request_id(self) -> str:
        """The request ID in logs, jobs and audit events."""
        return request_context_of(self.request.scope).request_id

    @property
    def client(self) -> Client:
        """Origin of the request."""
        ip = request_context_of(self.request.scope).client_ip or None
        return Client(
            ip=ip,
            user_agent=self.request.headers.get("user-agent"),
            request_id=self.request_id,
            device=self.request.cookies.get(DEVICE),
        )

    def enter(self, session: BrowserSession) -> None:
        """Start a session in this browser after a password was verified, and remember the device."""
        self.cookies += [
            set_cookie(SESSION, session.token, seconds=self.parts.settings.web_session_seconds),
            drop_cookie(VISITOR),
        ]
        self.remember_device(session.user_id)
        self.anchor = session.token

    def remember_device(self, user_id: UUID) -> None:
        """Remember this browser as a known device of the account."""
        known = devices.remember(self.parts.secret_box, self.request.cookies.get(DEVICE), user_id)
        self.cookies.append(set_cookie(DEVICE, known, seconds=devices.SECONDS))

    @property
    def wants_part(self) -> str | None:
        """ID of the element that htmx replaces; None for a whole page."""
        if "hx-request" not in self.request.headers or "hx-history-restore-request" in self.request.headers:
            return None
        return self.request.headers.get("hx-target", "")

    def id(self, name: str = "id") -> UUID:
        """An ID in the path. Raises: NotFound: it is not a UUID."""
        try:
            return UUID(self.request.path_params[name])
        except ValueError as error:
            raise NotFound("There is nothing at this address.") from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction for reads in the workspace."""
        async with self.parts.database.transaction(self.actor.workspace_id, read_only=True) as tx:
            yield tx

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A transaction for writes in the workspace. It commits on leaving: respond after that."""
        async with self.parts.database.transaction(self.actor.workspace_id) as tx:
            yield tx

    def after(self, scope: str, name: str = "after") -> Position | None:
        """The position of the query's cursor. `scope` names the list with its sort and filters."""
        cursor = self.query.get(name)
        return self.parts.cursors.read(cursor, self.actor.workspace_id, scope) if cursor else None

    def cursor(self, page: PageOfRows[T], scope: str) -> str | None:
        """The cursor of the page after `page`; None at the end."""
        return self.parts.cursors.write(page.after, self.actor.workspace_id, scope) if page.after else None

    @property
    def _known(self) -> Caller:
        if self.caller is None:
            raise Unauthenticated("Sign in first.")
        return self.caller
