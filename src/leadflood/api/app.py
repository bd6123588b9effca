"""Assembly of the API application."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from leadflood.api import openapi
from leadflood.api.context import ApiContext
from leadflood.api.middleware import RequestContextMiddleware
from leadflood.api.proxies import ProxyMonitor
from leadflood.api.readiness import ReadinessProbe
from leadflood.api.routing import EdgeRoute
from leadflood.domains.identity.service import access
from leadflood.domains.leads.service.group_commit import MAX_GROUP, GroupCommit
from leadflood.kernel.batching import Batcher

__all__ = ["ApiContext", "create_app"]


class Api(FastAPI):
    """FastAPI with our own OpenAPI description and `RequestContextMiddleware` as the only layer around its routes."""

    edge: Callable[[ASGIApp], ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request without FastAPI's own telemetry, which looks for its settings each time."""
        if scope["type"] != "http" or self.middleware_stack is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's own layers are left out: `RequestContextMiddleware` renders errors, and no route reads a form."""
        return self.edge(_Routes(self))

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.describe(self.routes)
        return self.openapi_schema


def create_app(parts: ApiContext, more: Sequence[APIRouter] = (), *, pages: ASGIApp | None = None) -> Api:
    """The ASGI application. Its caller opens and closes the resources.

    Args: more: additional routers. pages: serves every path outside the API.
    """
    app = Api(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    app.state.probe = ReadinessProbe(parts.database, parts.queue_backend, timeout=parts.probe_timeout)
    app.state.authenticator = Batcher(
        partial(access.authenticate_all, parts.database, production=parts.settings.is_production), max_size=MAX_GROUP
    )
    app.state.group_commit = GroupCommit(parts.database, parts.metrics)
    parts.metrics.pool_size.set(parts.settings.database_pool_size)
    for router in (*parts.routers, *more):
        # The routes themselves: include_router would match and wrap each of them a second time.
        app.router.routes.extend(router.routes)
    served = [route for route in app.routes if isinstance(route, EdgeRoute)]
    app.state.literal_paths = frozenset(route.path for route in served if not route.param_convertors)
    if pages is not None:
        app.router.default = _beside(app.router.not_found, pages)
    app.edge = partial(
        RequestContextMiddleware,
        metrics=parts.metrics,
        trusted_proxies=parts.settings.trusted_proxies,
        watch=ProxyMonitor(parts.database),
    )
    return app


class _Routes:
    """The routes: literal paths are looked up in a table, only paths with an ID are matched one by one.

    Trying them all took 8 to 20 per cent of the processor time of `POST /v1/leads` (decision 27).
    """

    def __init__(self, app: FastAPI) -> None:
        self._router = app.router
        served = [route for route in app.routes if isinstance(route, EdgeRoute) and not route.param_convertors]
        self._literal = {(method, item.path): item for item in served for method in item.methods or ()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._literal.get((scope.get("method", ""), scope.get("path", "")))
        if route is None:
            await self._router(scope, receive, send)
        else:
            scope["route"] = route
            await route.app(scope, receive, send)


def _beside(not_found: ASGIApp, pages: ASGIApp) -> ASGIApp:
    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        served_by = not_found if scope["path"].startswith("/v1/") else pages
        await served_by(scope, receive, send)

    return elsewhere
