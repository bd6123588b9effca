"""The one way from a request to a page: who asks, may they, was the form ours, then the page, then its rendering."""

import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from leadflood.domains.identity.models import throttled_address
from leadflood.domains.identity.service import access
from leadflood.kernel.actor import Permission
from leadflood.kernel.bodies import BodyLease
from leadflood.kernel.deadline import Deadline
from leadflood.kernel.errors import AppError, InvalidInput, Unauthenticated
from leadflood.kernel.exchange import exchange_of
from leadflood.web import live
from leadflood.web.answers import Answer, Page, Redirect
from leadflood.web.bodies import CSRF_FIELD, is_multipart, open_upload, read_form
from leadflood.web.parts import WebParts
from leadflood.web.session import (
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
from leadflood.web.shared_visit import Blocks, SharedVisit
from leadflood.web.view import url
from leadflood.web.visit import Caller, Visit

Handler = Callable[[Visit], Awaitable[Answer]]

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would send "Origin: null" and forms be refused
    "Cache-Control": "no-store",
    "Vary": "Cookie, HX-Request, HX-Target, Accept, Accept-Encoding",
}
_LEAST_COMPRESSED = 1000
_STRANGERS_FORM = 65_536
"""Bytes of a form of whoever is not signed in."""


@dataclass(frozen=True, slots=True)
class Public:
    """A page for everybody, and why."""

    because: str


class SignedIn:
    """A page for whoever is signed in, whatever they may do."""


SIGNED_IN = SignedIn()
Guard = Permission | SignedIn | Public


@dataclass(frozen=True, slots=True)
class Rule:
    """How one path is served.

    Attributes:
        live: the blocks of its template that change by themselves, each an element whose id is the block's name with
            `-` for `_`.
        uploads: whether its form may bring a file, which the handler reads as it comes in.
        whole_file: whether the handler reads a file from end to end, which has limits of its own instead of the
            deadline of a request.
    """

    path: str
    method: str
    guard: Guard
    handler: Handler
    live: tuple[str, ...] = ()
    uploads: bool = False
    whole_file: bool = False


class Pages:
    """The pages of one module: what `app.create_web` collects."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def get(self, path: str, guard: Guard, *, live: tuple[str, ...] = ()) -> Callable[[Handler], Handler]:
        """Serve a page."""
        return self._add(lambda handler: Rule(path, "GET", guard, handler, live))

    def post(
        self, path: str, guard: Guard, *, uploads: bool = False, whole_file: bool = False
    ) -> Callable[[Handler], Handler]:
        """Serve what a form is sent to. With `uploads`, the form may bring a file: `visit.upload`."""
        return self._add(
            lambda handler: Rule(path, "POST", guard, handler, uploads=uploads, whole_file=uploads or whole_file)
        )

    def _add(self, rule: Callable[[Handler], Rule]) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            self.rules.append(rule(handler))
            return handler

        return add


def route(rule: Rule, parts: WebParts) -> Route:
    """The Starlette route of a rule."""

    async def endpoint(request: Request) -> Response:
        request.scope["route"] = served  # the access log and the metrics name it
        return await answer(rule, request, parts)

    served = Route(rule.path, endpoint, methods=[rule.method])
    return served


async def answer(rule: Rule, request: Request, parts: WebParts) -> Response:
    """Handle one request by its rule."""
    visit = Visit(request, parts, None, "")
    try:
        async with Deadline(parts.settings.request_timeout) as deadline:
            with parts.body_budget.lease() as lease:
                await admit(visit, rule, lease, deadline)
                if rule.live and live.is_stream(request):
                    return _stream(visit, rule)
                if rule.whole_file:
                    deadline.lift()
                done = await rule.handler(visit)
    except AppError as error:
        return refusal(visit, error)
    return respond(visit, done, rule)


async def admit(visit: Visit, rule: Rule, lease: BodyLease, deadline: Deadline) -> None:
    """Find out who visits, and whether they may; only then read the form.

    Raises: Unauthenticated, Forbidden, ForgedRequest, InvalidInput, TooManyRequests.
    """
    await identify(visit)
    count(visit)
    if any("\0" in text for pair in visit.request.query_params.multi_items() for text in pair):
        raise InvalidInput("The address has a character that cannot be stored. Remove %00 from it.")
    if rule.method == "POST":
        check_origin(visit.request.headers)
    authorise(visit, rule)
    if rule.method == "POST":
        with deadline.paused():  # the body has limits of its own
            await _take_body(visit, rule, lease)


def authorise(visit: Visit, rule: Rule) -> None:
    """Raises: Unauthenticated, Forbidden."""
    if not isinstance(rule.guard, Public):
        actor = visit.actor
        if isinstance(rule.guard, Permission):
            actor.require(rule.guard)


def count(visit: Visit) -> None:
    """Count a visit for its session, or its address where there is none. Raises: TooManyRequests."""
    exchange = exchange_of(visit.request.scope)
    if visit.caller is None:
        limiter, key = visit.parts.strangers, throttled_address(exchange.client_ip)
    else:
        limiter, key = visit.parts.page_limiter, str(visit.actor.session_id)
    allowance = limiter.take(key)
    exchange.headers.extend(limiter.headers(allowance))
    limiter.require(allowance)


async def identify(visit: Visit) -> None:
    """Find the session that the browser's cookie opens. Without one, the visit stays anonymous."""
    cookies, parts = visit.request.cookies, visit.parts
    token = cookies.get(SESSION, "")
    if token:
        try:
            found = await access.authenticate_browser(parts.database, token, production=parts.settings.is_production)
        except Unauthenticated:
            visit.cookies.append(drop_cookie(SESSION))
        else:
            exchange = exchange_of(visit.request.scope)
            exchange.actor = found.actor.for_request(exchange.request_id)
            visit.caller, visit.anchor = Caller(token, exchange.actor, found.visitor), token
            if found.stale:
                await access.touch(parts.database, found.actor)
                visit.cookies.append(set_cookie(SESSION, token, seconds=parts.settings.web_session_seconds))
    if visit.caller is None:
        visit.anchor = cookies.get(VISITOR, "")
        if not visit.anchor:
            visit.anchor = new_visitor()
            visit.cookies.append(set_cookie(VISITOR, visit.anchor))
    if NOTES in cookies and visit.wants_part is None and visit.request.method == "GET":
        visit.toasts = unseal_notes(parts.sealer, visit.anchor, cookies[NOTES])


def respond(visit: Visit, done: Answer, rule: Rule) -> Response:
    """The HTTP response of what a page returned."""
    if isinstance(done, Redirect):
        return _redirect(visit, done)
    if isinstance(done, Response):
        return _finish(visit, done)
    if visit.wants_part is None:
        if visit.toasts or NOTES in visit.request.cookies:
            visit.cookies.append(drop_cookie(NOTES))
        visit.toasts = [*visit.toasts, *done.toasts]
        live_url = visit.address if rule.live else ""
        html = visit.parts.views.page(done.template, {**done.context, "visit": visit, "live_url": live_url})
        return _html(visit, html, done.status)
    return _html(visit, _part(visit, done, rule), done.status)


def refusal(visit: Visit, error: AppError) -> Response:
    """What a visitor sees instead of the page."""
    if isinstance(error, Unauthenticated):
        return _to_sign_in(visit)
    if visit.wants_part is not None:
        # htmx shows it as a toast, and leaves the page as it is.
        visit.toasts = [Toast(error.detail, "bad")]
        headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend", "HX-Push-Url": "false", **error.headers}
        html = visit.parts.views.block("layout.html", "toast_list", {"visit": visit})
        return _html(visit, html, error.status, headers)
    context = {"error": error, "request_id": visit.request_id, "visit": visit, "live_url": ""}
    html = visit.parts.views.page("error.html", context)
    return _html(visit, html, error.status, error.headers)


def _part(visit: Visit, page: Page, rule: Rule) -> str:
    context = {**page.context, "visit": visit, "live_url": ""}
    views = visit.parts.views
    if live.is_poll(visit.request):
        return "".join(views.block(page.template, each, context) for each in rule.live)
    block = page.part or (visit.wants_part or "").replace("-", "_")
    if not views.has_block(page.template, block):
        return views.page(page.template, context)
    html = views.block(page.template, block, context)
    if page.toasts:
        visit.toasts = list(page.toasts)
        html += (
            '<div id="toasts" hx-swap-oob="beforeend">' + views.block("layout.html", "toast_list", context) + "</div>"
        )
    return html


async def live_blocks(visit: Visit, rule: Rule, *, not_before: float) -> Blocks:
    """The live blocks of a page, from a render that other viewers may share."""

    async def make(shared: SharedVisit) -> Blocks:
        done = await rule.handler(shared)
        if not isinstance(done, Page):
            return {}
        context = {**done.context, "visit": shared, "live_url": ""}
        return {block: visit.parts.views.block(done.template, block, context) for block in rule.live}

    return await visit.parts.renders.blocks(visit, rule.path, make, not_before=not_before)


def _stream(visit: Visit, rule: Rule) -> StreamingResponse:
    async def load(not_before: float) -> Blocks:
        # As a fresh visit: a visitor who was signed out, removed or demoted gets no more.
        again = Visit(visit.request, visit.parts, None, "")
        async with visit.parts.renders.turn(visit.actor.workspace_id):
            await identify(again)
        authorise(again, rule)
        vars(again)["csrf"] = visit.csrf  # a mask of its own each time would make every fragment differ
        return await live_blocks(again, rule, not_before=not_before)

    headers = {**SECURITY, "X-Accel-Buffering": "no"}
    body = live.events(visit, load)
    return StreamingResponse(body, headers=headers, media_type="text/event-stream")


async def _take_body(visit: Visit, rule: Rule, lease: BodyLease) -> None:
    """Read the form, after its token where that came in a header, and hardly further than its token where not."""
    request, parts = visit.request, visit.parts

    def check(token: str) -> None:
        check_csrf(parts.sealer, visit.anchor, token)

    token = request.headers.get("x-csrf-token", "")
    if token or (visit.caller is None and VISITOR not in request.cookies):
        check(token)
    if rule.uploads and is_multipart(request):
        visit.form, visit.upload = await open_upload(request, parts.body_timeout)
        if not token:
            check(visit.form.value(CSRF_FIELD))
    else:
        limit = _STRANGERS_FORM if visit.caller is None else parts.settings.max_body_bytes
        visit.form = await read_form(request, limit, parts.body_timeout, lease, check=None if token else check)


def _redirect(visit: Visit, done: Redirect) -> Response:
    if done.toasts:
        visit.cookies.append(seal_notes(visit.parts.sealer, visit.anchor, list(done.toasts)))
    if "hx-request" in visit.request.headers:
        return _finish(visit, Response(status_code=204, headers={"HX-Redirect": done.to}))
    return _finish(visit, RedirectResponse(done.to, 303))


def _to_sign_in(visit: Visit) -> Response:
    if live.is_stream(visit.request):
        return _finish(visit, Response(live.END, media_type="text/event-stream"))
    wanted = visit.address if visit.request.method == "GET" and visit.path != "/" else None
    return _redirect(visit, Redirect(url("/sign-in", {"next": wanted})))


def _html(visit: Visit, html: str, status: int, headers: dict[str, str] | None = None) -> Response:
    body = html.encode()
    headers = dict(headers or {})
    if len(body) >= _LEAST_COMPRESSED and "gzip" in visit.request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=5, mtime=0), "gzip"
    return _finish(visit, HTMLResponse(body, status, headers))


def _finish(visit: Visit, response: Response) -> Response:
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    for cookie in visit.cookies:
        response.headers.append("Set-Cookie", cookie)
    return response
