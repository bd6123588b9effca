"""What the API is made of, and what it knows of one request and its answer."""

from dataclasses import dataclass, field
from typing import cast

from starlette.types import Scope

from leadflood.api.ratelimit import RateLimiter
from leadflood.domains.jobs.registry import JobRegistry
from leadflood.kernel.actor import Actor
from leadflood.kernel.config import Settings
from leadflood.kernel.crypto import Sealer
from leadflood.kernel.db.database import Database
from leadflood.kernel.observability import Metrics, TraceContext
from leadflood.kernel.pagination import Cursors
from leadflood.kernel.queue.ports import Carrier

_EXCHANGE = "leadflood.exchange"
_MAX_INSTANCE = 1000


@dataclass(frozen=True, kw_only=True)
class ApiParts:
    """The concrete pieces that bootstrap hands to `create_app`.

    Attributes:
        rate_limiter: what one credential may ask of this process.
        body_timeout: seconds that a whole request body may take to arrive.
        probe_timeout: seconds that `/ready` waits for each thing it looks at.
    """

    settings: Settings
    database: Database
    carrier: Carrier
    registry: JobRegistry
    sealer: Sealer
    cursors: Cursors
    metrics: Metrics
    rate_limiter: RateLimiter
    body_timeout: float = 20.0
    probe_timeout: float = 2.0


@dataclass(slots=True)
class Exchange:
    """One request and its answer, from the first byte to the log line.

    Attributes:
        client_ip: the caller's address as far as we trust who told it; empty on a Unix socket.
        headers: what is added to the answer, whether it succeeds or fails.
        status: of the answer; 0 until it starts.
        sent: bytes of the answer's body.
    """

    method: str
    path: str
    scheme: str
    client_ip: str
    request_id: str
    trace_context: TraceContext
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    actor: Actor | None = None
    status: int = 0
    sent: int = 0

    @property
    def trace(self) -> dict[str, str]:
        """What a job keeps of its cause."""
        return {"traceparent": self.trace_context.traceparent, "request_id": self.request_id}

    @property
    def instance(self) -> str:
        """The path, as problems name it."""
        return self.path[:_MAX_INSTANCE]


def attach(scope: Scope, exchange: Exchange) -> None:
    """Make the exchange known to whatever handles this request."""
    scope[_EXCHANGE] = exchange


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that the outermost layer attached."""
    return cast("Exchange", scope[_EXCHANGE])


def parts_of(scope: Scope) -> ApiParts:
    """The parts of the application that handles this request."""
    return cast("ApiParts", scope["app"].state.parts)
