"""Ties the API together."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from leadflood.api import errors, openapi
from leadflood.api.docs_page import DocsPage
from leadflood.api.middleware import Edge
from leadflood.api.parts import ApiParts
from leadflood.api.readiness import Probe
from leadflood.api.routes import api_keys, audit, auth, jobs, leads, members, outbox, sessions, system, workspace
from leadflood.kernel.errors import AppError

__all__ = ["ROUTERS", "ApiParts", "create_app"]

ROUTERS: Sequence[APIRouter] = tuple(
    module.router for module in (leads, jobs, outbox, auth, sessions, members, api_keys, workspace, audit, system)
)


class Api(FastAPI):
    """FastAPI with our own description of the API, made once."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.describe(self.routes)
        return self.openapi_schema


def create_app(parts: ApiParts, routers: Sequence[APIRouter] = ROUTERS) -> Api:
    """The ASGI application. It opens and closes nothing: the parts are ready, and whoever made them closes them."""
    app = Api(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            AppError: errors.on_app_error,
            RequestValidationError: errors.on_invalid_request,
            HTTPException: errors.on_http_error,
        },
    )
    app.state.parts = parts
    app.state.probe = Probe(parts.database, parts.carrier, timeout=parts.probe_timeout)
    app.state.docs_page = DocsPage()
    parts.metrics.pool_size.set(parts.settings.database_pool_size)
    for router in routers:
        # The routes themselves, not include_router, which would match and wrap each of them once more.
        app.router.routes.extend(router.routes)
    app.add_middleware(Edge, metrics=parts.metrics, trusted_proxies=parts.settings.trusted_proxies)
    return app
