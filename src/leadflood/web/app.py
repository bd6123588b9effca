"""Assembly of the web application."""

from collections.abc import Sequence

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from leadflood.kernel.errors import AppError, NotFound
from leadflood.kernel.request_context import request_context_of
from leadflood.web import pipeline
from leadflood.web.context import WebContext
from leadflood.web.page_context import PageContext
from leadflood.web.pipeline import Pages

__all__ = ["WebContext", "create_web"]

_log = structlog.get_logger()


class PageNotFound(NotFound):
    """There is no such page."""

    code = "page_not_found"
    title = "Page not found"


class PageMethodNotAllowed(AppError):
    """The page exists, but not with this method."""

    code = "method_not_allowed"
    status = 405
    title = "Not allowed here"


class PageInternalError(AppError):
    """An unexpected error while rendering a page."""

    title = "Something went wrong"


def create_web(parts: WebContext, more: Sequence[Pages] = ()) -> ASGIApp:
    """The ASGI application of all pages. Its caller opens and closes the resources, as for the API."""
    rules = [rule for item in (*parts.pages, *more) for rule in item.rules]
    # Exact paths first: /jobs/failures/retries is not about a job with the id "failures".
    routes: list[BaseRoute] = [pipeline.route(rule, parts) for rule in sorted(rules, key=lambda rule: "{" in rule.path)]
    routes.append(Route("/static/{name}", parts.assets.serve, methods=["GET"]))
    routes.append(Route("/service-worker.js", parts.assets.serve_service_worker, methods=["GET"]))
    router = Router(routes, redirect_slashes=False, default=_NotFoundApp(parts))

    async def web(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await router(scope, receive, send)
        except HTTPException:
            response = _wrong_method(PageContext(Request(scope, receive), parts, None, ""), routes)
            await response(scope, receive, send)
        except Exception as exc:
            if request_context_of(scope).status:
                raise  # part of another response was already sent
            _log.error("web.exception", exc_info=exc)
            ctx = PageContext(Request(scope, receive), parts, None, "")
            detail = "Try again, or contact your administrator with this ID."
            await pipeline.refusal(ctx, PageInternalError(detail))(scope, receive, send)

    return web


def _wrong_method(ctx: PageContext, routes: Sequence[BaseRoute]) -> Response:
    matching = [route for route in routes if route.matches(ctx.request.scope)[0] is not Match.NONE]
    methods = {method for route in matching if isinstance(route, Route) for method in route.methods or ()}
    allow = {"Allow": ", ".join(sorted(methods | {"OPTIONS"}))}
    if ctx.request.method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    return pipeline.refusal(ctx, PageMethodNotAllowed("Open the page from the menu and try again.", headers=allow))


class _NotFoundApp:
    """Response to paths without a route."""

    def __init__(self, parts: WebContext) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        ctx = PageContext(request, self._parts, None, "")
        try:
            await pipeline.identify(ctx)
            pipeline.count(ctx)
            raise PageNotFound("Check the address, or go home.")
        except AppError as error:
            return pipeline.refusal(ctx, error)
