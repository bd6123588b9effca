"""The pipeline from a request to a page: authentication, permission, CSRF check, page function, rendering."""

import gzip
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from leadflood.domains.identity.models import throttled_address
from leadflood.domains.identity.service import access
from leadflood.kernel.actor import MissingPermission, Permission
from leadflood.kernel.deadline import Deadline
from leadflood.kernel.errors import AppError, InvalidCursor, InvalidInput, Unauthenticated, Unavailable
from leadflood.kernel.request_bodies import BodyLease
from leadflood.kernel.request_context import request_context_of
from leadflood.web import formats, labels, sidebar, sse
from leadflood.web.context import WebContext
from leadflood.web.cookies import (
    NOTES,
    SESSION,
    VISITOR,
    Toast,
    check_csrf,
    check_origin,
    drop_cookie,
    new_visitor,
    seal_notes,
    set_cookie,
    unseal_notes,
)
from leadflood.web.error_texts import shown_error
from leadflood.web.form_parser import CSRF_FIELD, is_multipart, open_upload, read_form
from leadflood.web.kept_form import UNAVAILABLE, fields_to_resend, keep_form
from leadflood.web.page_context import Caller, PageContext
from leadflood.web.responses import PageResponse, PageResult, Redirect
from leadflood.web.shared_page_context import Blocks, SharedPageContext
from leadflood.web.sidebar import LoadItems, NavGroup
from leadflood.web.templating import url

Handler = Callable[[PageContext], Awaitable[PageResult]]

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers send "Origin: null", and forms are refused
    "Cache-Control": "no-store",
    "Vary": "Cookie, HX-Request, HX-Target, Accept, Accept-Encoding",
}
_MIN_COMPRESSED = 1000
_STRANGERS_FORM = 65_536
"""Maximum bytes of a form without a session."""


@dataclass(frozen=True, slots=True)
class Public:
    """A public page, with the reason."""

    reason: str


class SignedIn:
    """A page for every signed-in user."""


SIGNED_IN = SignedIn()
Access = Permission | SignedIn | Public


@dataclass(frozen=True, slots=True)
class PageRoute:
    """Definition of a page route.

    Attributes:
        live: the blocks of its template that change by themselves, each an element whose id is the block's name with
            `-` for `_`. The counts of the sidebar do on every page.
        uploads: whether its form may bring a file, which the handler reads as it comes in.
        whole_file: whether the handler reads a file from end to end, which has limits of its own instead of the
            deadline of a request.
    """

    path: str
    method: str
    access: Access
    handler: Handler
    live: tuple[str, ...] = ()
    uploads: bool = False
    whole_file: bool = False

    @property
    def has_stream(self) -> bool:
        """Whether the page changes by itself: every page that has the sidebar."""
        return self.method == "GET" and not isinstance(self.access, Public)


class Pages:
    """The pages of one module, collected by `app.create_web`."""

    def __init__(self) -> None:
        self.rules: list[PageRoute] = []
        self.nav_groups: list[NavGroup] = []

    def get(self, path: str, access: Access, *, live: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
        """Serve a page."""
        return self._add(lambda handler: PageRoute(path, "GET", access, handler, live))

    def post(
        self, path: str, access: Access, *, uploads: bool = False, whole_file: bool = False
    ) -> Callable[[Handler], Handler]:
        """Handle a form. With `uploads`, it can have a file: `ctx.upload`."""
        return self._add(
            lambda handler: PageRoute(path, "POST", access, handler, uploads=uploads, whole_file=uploads or whole_file)
        )

    def nav_group(self, parent: str, *, counts: str) -> Callable[[LoadItems], LoadItems]:
        """List items of the user's own below an item of the sidebar: see `NavGroup`."""

        def add(load: LoadItems) -> LoadItems:
            self.nav_groups.append(NavGroup(parent, load, counts))
            return load

        return add

    def _add(self, rule: Callable[[Handler], PageRoute]) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            self.rules.append(rule(handler))
            return handler

        return add


def route(rule: PageRoute, parts: WebContext) -> Route:
    """The Starlette route of a rule."""

    async def endpoint(request: Request) -> Response:
        request.scope["route"] = served  # name for the access log and the metrics
        return await answer(rule, request, parts)

    served = Route(rule.path, endpoint, methods=[rule.method])
    return served


async def answer(rule: PageRoute, request: Request, parts: WebContext) -> Response:
    """Handle one request of a route."""
    ctx = PageContext(request, parts, None, "")
    try:
        async with Deadline(parts.settings.request_timeout_seconds) as deadline:
            with parts.body_budget.lease() as lease:
                await admit(ctx, rule, lease, deadline)
                if rule.has_stream and sse.is_stream(request):
                    return _stream(ctx, rule)
                if rule.whole_file:
                    deadline.lift()
                done = await rule.handler(ctx)
                if isinstance(done, PageResponse):
                    await _load_sidebar(ctx)
    except AppError as error:
        if error.status < UNAVAILABLE:
            await _load_sidebar(ctx)
        elif error.status == UNAVAILABLE:
            await keep_form(ctx)
        return refusal(ctx, error)
    return respond(ctx, done, rule)


async def _load_sidebar(ctx: PageContext) -> None:
    """Read what the sidebar shows, if it is shown. A page without that is better than none."""
    if ctx.signed_in and (ctx.wants_part is None or sse.is_poll(ctx.request)):
        groups = [group for pages in ctx.parts.pages for group in pages.nav_groups]
        with suppress(Unavailable):
            ctx.sidebar = await sidebar.load(ctx, groups)


async def admit(ctx: PageContext, rule: PageRoute, lease: BodyLease, deadline: Deadline) -> None:
    """Authenticate and authorize the request, then read the form.

    Raises: Unauthenticated, Forbidden, CsrfFailed, InvalidInput, TooManyRequests.
    """
    await identify(ctx)
    count(ctx)
    if any("\0" in text for pair in ctx.request.query_params.multi_items() for text in pair):
        raise InvalidInput("This link contains an unsupported character (%00).")
    if rule.method == "POST":
        check_origin(ctx.request.headers)
    authorise(ctx, rule)
    if rule.method == "POST":
        streams = rule.uploads and is_multipart(ctx.request)
        with deadline.paused(None if streams else ctx.parts.body_timeout):
            await _take_body(ctx, rule, lease)


def authorise(ctx: PageContext, rule: PageRoute) -> None:
    """Raises: Unauthenticated, Forbidden."""
    if not isinstance(rule.access, Public):
        actor = ctx.actor
        if isinstance(rule.access, Permission):
            actor.require(rule.access)


def count(ctx: PageContext) -> None:
    """Rate limit by session, or by address without one. Raises: TooManyRequests."""
    request_context = request_context_of(ctx.request.scope)
    if ctx.caller is None:
        limiter, key = ctx.parts.strangers, throttled_address(request_context.client_ip)
    else:
        limiter, key = ctx.parts.page_limiter, str(ctx.actor.session_id)
    allowance = limiter.take(key)
    request_context.headers.extend(limiter.headers(allowance))
    limiter.require(allowance)


async def identify(ctx: PageContext) -> None:
    """Load the session of the browser's cookie. Without one, the request stays anonymous."""
    cookies, parts = ctx.request.cookies, ctx.parts
    token = cookies.get(SESSION, "")
    if token:
        try:
            found = await access.authenticate_browser(parts.database, token, production=parts.settings.is_production)
        except Unauthenticated:
            ctx.cookies.append(drop_cookie(SESSION))
        else:
            request_context = request_context_of(ctx.request.scope)
            request_context.actor = found.actor.for_request(request_context.request_id)
            ctx.caller, ctx.anchor = Caller(token, request_context.actor, found.visitor), token
            if found.stale:
                await access.touch(parts.database, found.actor)
                ctx.cookies.append(set_cookie(SESSION, token, seconds=parts.settings.web_session_seconds))
    if ctx.caller is None:
        ctx.anchor = cookies.get(VISITOR, "")
        if not ctx.anchor:
            ctx.anchor = new_visitor()
            ctx.cookies.append(set_cookie(VISITOR, ctx.anchor))
    formats.use(ctx.region)
    if NOTES in cookies and ctx.wants_part is None and ctx.request.method == "GET":
        ctx.toasts = unseal_notes(parts.secret_box, ctx.anchor, cookies[NOTES])


def respond(ctx: PageContext, done: PageResult, rule: PageRoute) -> Response:
    """The HTTP response for a page result."""
    if isinstance(done, Redirect):
        return _redirect(ctx, done)
    if isinstance(done, Response):
        return _finish(ctx, done)
    if ctx.wants_part is None:
        if ctx.toasts or NOTES in ctx.request.cookies:
            ctx.cookies.append(drop_cookie(NOTES))
        ctx.toasts = [*ctx.toasts, *done.toasts]
        live_url = ctx.address if rule.live else ""
        live = {"live_url": live_url, "has_stream": rule.has_stream}
        html = ctx.parts.views.page(done.template, {**done.context, "ctx": ctx, **live})
        return _html(ctx, html, done.status)
    return _html(ctx, _part(ctx, done, rule), done.status)


def refusal(ctx: PageContext, error: AppError) -> Response:
    """The error page for a request that is refused."""
    if isinstance(error, Unauthenticated):
        return _to_sign_in(ctx)
    if isinstance(error, MissingPermission) and error.permission is not Permission.INSTANCE:
        error.detail = labels.no_access(error.permission)
    if ctx.wants_part is not None:
        # htmx shows it as a toast, and keeps the page.
        ctx.toasts = [Toast(shown_error(error).text, "bad")]
        headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend", "HX-Push-Url": "false", **error.headers}
        html = ctx.parts.views.block("layout.html", "toast_list", {"ctx": ctx})
        return _html(ctx, html, error.status, headers)
    again = fields_to_resend(ctx, error)
    context = {
        "error": error,
        "shown": shown_error(error),
        "first_page": ctx.address_without("after") if isinstance(error, InvalidCursor) else None,
        "again": again,
        "request_id": ctx.request_id,
        "ctx": ctx,
        "live_url": "",
    }
    html = ctx.parts.views.page("error.html", context)
    return _html(ctx, html, error.status, error.headers)


def _part(ctx: PageContext, page: PageResponse, rule: PageRoute) -> str:
    context = {**page.context, "ctx": ctx, "live_url": ""}
    views = ctx.parts.views
    if sse.is_poll(ctx.request):
        blocks = [views.block(page.template, item, context) for item in rule.live]
        return "".join([*blocks, views.page(sidebar.TEMPLATE, context)])
    block = page.part or (ctx.wants_part or "").replace("-", "_")
    if not views.has_block(page.template, block):
        return views.page(page.template, context)
    html = views.block(page.template, block, context)
    if page.toasts:
        ctx.toasts = list(page.toasts)
        html += (
            '<div id="toasts" hx-swap-oob="beforeend">' + views.block("layout.html", "toast_list", context) + "</div>"
        )
    return html


async def live_blocks(ctx: PageContext, rule: PageRoute, *, not_before: float) -> Blocks:
    """The live blocks of a page and of the sidebar, from renders that other viewers can share."""
    counts = await sidebar.live_counts(ctx, not_before=not_before)
    return {**await _live_page(ctx, rule, not_before), **counts} if rule.live else counts


async def _live_page(ctx: PageContext, rule: PageRoute, not_before: float) -> Blocks:

    async def make(shared: SharedPageContext) -> Blocks:
        done = await rule.handler(shared)
        if not isinstance(done, PageResponse):
            return {}
        context = {**done.context, "ctx": shared, "live_url": ""}
        return {block: ctx.parts.views.block(done.template, block, context) for block in rule.live}

    return await ctx.parts.renders.blocks(ctx, make, not_before=not_before)


def _stream(ctx: PageContext, rule: PageRoute) -> StreamingResponse:
    async def load(not_before: float) -> Blocks:
        # Like a new request: a user who was signed out, removed or demoted gets nothing further.
        again = PageContext(ctx.request, ctx.parts, None, "")
        async with ctx.parts.renders.turn(ctx.actor.workspace_id):
            await identify(again)
        authorise(again, rule)
        vars(again)["csrf"] = ctx.csrf  # a new mask each time would make every fragment differ
        return await live_blocks(again, rule, not_before=not_before)

    headers = {**SECURITY, "X-Accel-Buffering": "no"}
    body = sse.events(ctx, load)
    return StreamingResponse(body, headers=headers, media_type="text/event-stream")


async def _take_body(ctx: PageContext, rule: PageRoute, lease: BodyLease) -> None:
    """Read the form. A token in a header is checked first; otherwise only a little is read before the token."""
    request, parts = ctx.request, ctx.parts

    def check(token: str) -> None:
        check_csrf(parts.secret_box, ctx.anchor, token)

    token = request.headers.get("x-csrf-token", "")
    if token or (ctx.caller is None and VISITOR not in request.cookies):
        check(token)
    if rule.uploads and is_multipart(request):
        ctx.form, ctx.upload = await open_upload(request, parts.body_timeout)
        if not token:
            check(ctx.form.value(CSRF_FIELD))
    else:
        limit = _STRANGERS_FORM if ctx.caller is None else parts.settings.max_body_bytes
        ctx.form = await read_form(request, limit, lease, check=None if token else check)


def _redirect(ctx: PageContext, done: Redirect) -> Response:
    if done.toasts:
        ctx.cookies.append(seal_notes(ctx.parts.secret_box, ctx.anchor, list(done.toasts)))
    if "hx-request" in ctx.request.headers:
        return _finish(ctx, Response(status_code=204, headers={"HX-Redirect": done.to}))
    return _finish(ctx, RedirectResponse(done.to, 303))


def _to_sign_in(ctx: PageContext) -> Response:
    if sse.is_stream(ctx.request):
        return _finish(ctx, Response(sse.END, media_type="text/event-stream"))
    wanted = ctx.address if ctx.request.method == "GET" and ctx.path != "/" else None
    return _redirect(ctx, Redirect(url("/sign-in", {"next": wanted})))


def _html(ctx: PageContext, html: str, status: int, headers: dict[str, str] | None = None) -> Response:
    body = html.encode()
    headers = dict(headers or {})
    if len(body) >= _MIN_COMPRESSED and "gzip" in ctx.request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=5, mtime=0), "gzip"
    return _finish(ctx, HTMLResponse(body, status, headers))


def _finish(ctx: PageContext, response: Response) -> Response:
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    for cookie in ctx.cookies:
        response.headers.append("Set-Cookie", cookie)
    return response
