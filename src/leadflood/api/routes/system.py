"""Health of the process, the problem pages, and the documentation."""

from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from leadflood.api.deps import ContextDep
from leadflood.api.errors import RouteNotFound, problem_index, problem_page, problem_types
from leadflood.api.readiness import Readiness
from leadflood.api.routing import EdgeRoute, public
from leadflood.kernel.schema import View

router = APIRouter(route_class=EdgeRoute)

_METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


class Health(View):
    """The process is running."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "release": None}]})

    status: Literal["ok"]
    release: str | None = Field(description="Running release (`LEADFLOOD_RELEASE`); null if unset.")


@router.get("/health", tags=["system"], summary="Liveness")
@public("for load balancers")
async def health(parts: ContextDep) -> Health:
    """Checks only the process itself. Restart it if this fails."""
    return Health(status="ok", release=parts.settings.release or None)


@router.get("/ready", tags=["system"], summary="Readiness", responses={503: {"model": Readiness}})
@public("for load balancers")
async def ready(request: Request, response: Response) -> Readiness:
    """Checks database, schema, a small write and the queue, up to two seconds each. Returns 503 with the failed checks.

    Workers and heartbeat are reported but don't affect the status: the API works without them.
    """
    readiness: Readiness = await request.app.state.probe.check()
    if readiness.status != "ready":
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return readiness


@router.get("/metrics", include_in_schema=False)
@public("a scraper has no account; where that is too open, a proxy in front keeps this path to itself")
async def metrics(request: Request, parts: ContextDep) -> Response:
    """Prometheus text format. The queue is counted at most every few seconds."""
    parts.metrics.set_queue_depth(await request.app.state.probe.queue_depth())
    return Response(parts.metrics.exposition(), headers={"Content-Type": _METRICS_TYPE})


@router.get("/problems", include_in_schema=False)
@public("documentation")
async def problems() -> HTMLResponse:
    """All problems that this API can answer with."""
    return HTMLResponse(problem_index())


@router.get("/problems/{code}", include_in_schema=False)
@public("documentation")
async def problem_by_code(code: str) -> HTMLResponse:
    """The page of one problem: its meaning and remedy."""
    error = problem_types().get(code)
    if error is None:
        raise RouteNotFound("There is no such problem. /problems lists all.")
    return HTMLResponse(problem_page(error))


@router.get("/openapi.json", include_in_schema=False)
@public("documentation")
async def openapi_document(request: Request) -> Response:
    """The description of this API for programs."""
    return JSONResponse(request.app.openapi())
